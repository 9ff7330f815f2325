package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/internal/image"
	"github.com/wayproof/wayproof/internal/image/build"
	"github.com/wayproof/wayproof/internal/progress"
)

func imagesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "images",
		Short: "Build, list, save and load the images of a cluster",
		Long: `The images of a cluster on a machine that reaches package registries but no
image registry. They are made from this checkout's images/ into a cache under
the user's cache folder; a changed input remakes only what depends on it.`,
	}
	cmd.AddCommand(imagesBuildCommand(), imagesListCommand())
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
			set, err := builder.Make(cmd.Context())
			if err != nil {
				return err
			}
			return printImages(cmd, set)
		},
	}
}

func imagesListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the images that this checkout makes (making them if they are not cached)",
		Args:  cobra.NoArgs,
		RunE:  imagesBuildCommand().RunE,
	}
}

func printImages(cmd *cobra.Command, set build.Set) error {
	fmt.Fprintln(cmd.OutOrStdout(), set.Node)
	for _, layout := range []string{set.Layout, set.AgentLayout} {
		refs, err := image.Refs(layout)
		if err != nil {
			return err
		}
		for _, ref := range refs {
			fmt.Fprintln(cmd.OutOrStdout(), ref)
		}
	}
	return nil
}
