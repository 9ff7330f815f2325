// Package travel is the agent's subcommand for a service of the travel demo; see
// fixtures/travel for what it does and for its variables.
package travel

import (
	"math/rand/v2"
	"os"

	"github.com/spf13/cobra"

	"github.com/wayproof/wayproof/fixtures/travel"
)

// Command serves one role until it is told to end, configured by the demo's own
// environment variables. It is the image's default command and infers its role,
// so that the workshop's manifests run with nothing but the image exchanged.
func Command() *cobra.Command {
	return &cobra.Command{
		Use:   "travel [role]",
		Short: "Be a service of the travel demo",
		Long: "Be a service of the travel demo: travels, cars, flights, hotels, insurances,\n" +
			"discounts, portal, control or mysqldb. Without a role it is inferred from\n" +
			"CURRENT_SERVICE, PORTAL_NAME, PORTAL_SERVICES or MYSQL_ROOT_PASSWORD.",
		Args: cobra.MaximumNArgs(1),
		RunE: run,
	}
}

func run(command *cobra.Command, args []string) error {
	var role travel.Role
	if len(args) == 1 {
		role = travel.Role(args[0])
	}
	config, err := travel.ConfigFromEnv(role, os.Getenv)
	if err != nil {
		return err
	}
	service, err := travel.New(config, travel.Surroundings{
		Log: command.ErrOrStderr(),
		// Which cities a portal asks for is the demo's own chance, in no plan of
		// ours and judged by nothing; hence a seed of the process.
		Rand: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
	})
	if err != nil {
		return err
	}
	return service.Run(command.Context())
}
