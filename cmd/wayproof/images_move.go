package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/internal/image"
	"github.com/wayproof/wayproof/internal/image/build"
	"github.com/wayproof/wayproof/internal/progress"
)

func imagesSaveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "save DIR",
		Short: "Write every image and chart to a folder for machines without any registry",
		Long: `Writes a folder that another machine's up takes with IMAGES=archive:DIR: the node
image, all other images, Istio's charts, and their digests. Nothing else is
needed there but wayproof and a container engine.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			builder, err := newBuilder()
			if err != nil {
				return err
			}
			set, err := builder.Make(cmd.Context())
			if err != nil {
				return err
			}
			done := builder.Progress.Step("save the images to " + args[0])
			err = build.Save(cmd.Context(), set, args[0])
			done(err)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "use it with: wayproof up --images archive:%s\n", args[0])
			return nil
		},
	}
}

func imagesLoadCommand() *cobra.Command {
	flags := &environmentFlags{}
	cmd := &cobra.Command{
		Use:   "load [FOLDER|ARCHIVE]...",
		Short: "Give images to the nodes of the running cluster",
		Long: `Gives the nodes of the cluster that up made the images that they lack: from
folders written by images save and single image archives, or if none is named
those that this checkout makes. up does so by itself; this is for images of
your own.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			environment, err := flags.kindCluster()
			if err != nil {
				return err
			}
			return environment.Load(cmd.Context(), args, progress.New(os.Stderr))
		},
	}
	flags.registerCluster(cmd)
	return cmd
}

func imagesPushCommand() *cobra.Command {
	harness := false
	cmd := &cobra.Command{
		Use:   "push REGISTRY/NAME:TAG",
		Short: "Push the agent's image to a registry, for a cluster that exists",
		Long: `Makes the image of the one program that runs in pods and pushes it under the
name given, with the credentials that your container tools have (docker login,
podman login). Name it then with: wayproof run --existing --agent-image ...

With --harness it is the image of wayproof itself, for the CronJob under deploy/.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			builder, err := newBuilder()
			if err != nil {
				return err
			}
			ref, layout, err := imageToPush(cmd.Context(), builder, harness)
			if err != nil {
				return err
			}
			found, err := image.Find(layout, ref)
			if err != nil {
				return err
			}
			done := builder.Progress.Step("push " + ref + " to " + args[0])
			err = image.Push(cmd.Context(), found, args[0])
			done(err)
			return err
		},
	}
	cmd.Flags().BoolVar(&harness, "harness", false, "push the image of wayproof itself instead")
	return cmd
}

// imageToPush makes the agent's image or the harness's.
func imageToPush(ctx context.Context, builder *build.Builder, harness bool) (ref, layout string, err error) {
	if harness {
		made, err := builder.Harness(ctx)
		return made.Ref, made.Layout, err
	}
	set, err := builder.Agent(ctx)
	return set.Agent, set.AgentLayout, err
}
