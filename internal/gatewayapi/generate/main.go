// Command generate packs the definitions of the gateway-api module that go.mod
// names into the files that package gatewayapi embeds. It is run by go generate.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/wayproof/wayproof/internal/gatewayapi/generate/pack"
)

func main() {
	for _, channel := range []string{"standard", "experimental"} {
		packed, err := pack.Channel(context.Background(), channel)
		if err == nil {
			err = os.WriteFile(channel+".yaml.gz", packed, 0o644)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "generate:", err)
			os.Exit(1)
		}
	}
}
