package deps

import (
	_ "github.com/HdrHistogram/hdrhistogram-go"
	_ "github.com/google/go-containerregistry/pkg/v1/layout"
	_ "github.com/klauspost/compress/zstd"
	_ "github.com/onsi/ginkgo/v2"
	_ "github.com/onsi/gomega"
	_ "github.com/spf13/cobra"
	_ "github.com/stretchr/testify/require"
	_ "github.com/tsenart/vegeta/v12/lib"
	_ "gonum.org/v1/gonum/mathext"
	_ "helm.sh/helm/v3/pkg/action"
	_ "istio.io/client-go/pkg/apis/networking/v1"
	_ "k8s.io/client-go/kubernetes"
	_ "k8s.io/metrics/pkg/apis/metrics/v1beta1"
	_ "sigs.k8s.io/e2e-framework/klient"
	_ "sigs.k8s.io/gateway-api/apis/v1"
	_ "sigs.k8s.io/kind/pkg/cluster"
	_ "sigs.k8s.io/yaml"
	_ "golang.org/x/sync/errgroup"
	_ "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	_ "google.golang.org/grpc"
)
