package main

import (
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/internal/image"
	"github.com/wayproof/wayproof/internal/image/build"
	"github.com/wayproof/wayproof/internal/progress"
)

func imagesCommand() *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "images",
		Short: "Build, list, save, load and push the images of a cluster",
		Long: `The images of a cluster on a machine that reaches package registries but no
image registry. They are made from this checkout's images/ into a cache under
the user's cache folder; a changed input remakes only what depends on it.`,
	})
	cmd.AddCommand(imagesBuildCommand(), imagesListCommand(), imagesSaveCommand(), imagesLoadCommand(), imagesPushCommand())
	return cmd
}

func newBuilder() (*build.Builder, error) {
	source, err := build.FindSource()
	if err != nil {
		return nil, err
	}
	cache, err := image.UserCache()
	if err != nil {
		return nil, err
	}
	return &build.Builder{Source: source, Cache: cache, Progress: progress.New(os.Stderr)}, nil
}

func imagesBuildCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "build",
		Short: "Make every image of a cluster from this checkout",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			builder, err := newBuilder()
			if err != nil {
				return err
			}
			if _, err := builder.Make(cmd.Context()); err != nil {
				return err
			}
			if _, err := builder.Harness(cmd.Context()); err != nil {
				return err
			}
			listed, err := builder.List(cmd.Context())
			if err != nil {
				return err
			}
			return printImages(cmd.OutOrStdout(), listed)
		},
	}
}

func imagesListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the images that this checkout makes, and which of them are made",
		Long: `Names every image that this checkout makes and says whether the cache holds it.
It makes and fetches nothing: "not built" is what wayproof images build is for.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			builder, err := newBuilder()
			if err != nil {
				return err
			}
			listed, err := builder.List(cmd.Context())
			if err != nil {
				return err
			}
			return printImages(cmd.OutOrStdout(), listed)
		},
	}
}

func printImages(to io.Writer, listed []build.Listed) error {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "STATE\tIMAGE")
	missing := 0
	for _, one := range listed {
		state := "cached"
		if !one.Cached {
			state = "not built"
			missing++
		}
		fmt.Fprintf(table, "%s\t%s\n", state, one.Ref)
	}
	if missing > 0 {
		fmt.Fprintln(table, "\nmake what is missing with: wayproof images build")
	}
	return table.Flush()
}
