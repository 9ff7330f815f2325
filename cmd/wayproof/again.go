package main

import (
	"regexp"
	"strings"

	"github.com/wayproof/wayproof/internal/catalogue"
	"github.com/wayproof/wayproof/internal/env/kind"
	"github.com/wayproof/wayproof/internal/gatewayapi"
)

// word puts a flag's value in quotes where a shell would not take it as it is.
func word(text string) string {
	if regexp.MustCompile(`^[A-Za-z0-9_./:,@%+=-]+$`).MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// spelled lists flags with their values; those without a value are left out.
func spelled(pairs ...[2]string) string {
	var b strings.Builder
	for _, pair := range pairs {
		if pair[1] != "" {
			b.WriteString(" --" + pair[0] + " " + word(pair[1]))
		}
	}
	return b.String()
}

// unless is a value, or nothing if it is the default.
func unless(value, otherwise string) string {
	if value == otherwise {
		return ""
	}
	return value
}

// where is the part of the command line that says on which cluster.
func (f *environmentFlags) where() string {
	if f.existing {
		text := " --existing"
		if f.adopt {
			text += " --adopt"
		}
		return text + spelled([2]string{"kubeconfig", f.kubeconfig}, [2]string{"context", f.context}, [2]string{"agent-image", f.agentImage})
	}
	return spelled(
		[2]string{"cluster", unless(f.cluster, kind.DefaultCluster)}, [2]string{"images", unless(f.images, kind.SourceAuto)},
		[2]string{"istio", unless(f.istio, defaultIstio)}, [2]string{"gateway-api", unless(f.channel, string(gatewayapi.Standard))},
	)
}

// picked is the part that picked the scenarios.
func (f *runFlags) picked() string {
	return spelled([2]string{"focus", f.focus}, [2]string{"labels", f.labels}, [2]string{"promise", f.promise}, [2]string{"rerun-failed", f.rerun})
}

// only keeps of scenarios what the promises of --promise need, if it is given.
func (f *runFlags) only(scenarios []catalogue.Scenario) ([]catalogue.Scenario, error) {
	if f.promise == "" {
		return scenarios, nil
	}
	return catalogue.Only(scenarios, strings.Split(f.promise, ","))
}
