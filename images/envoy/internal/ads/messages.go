package ads

import (
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/wayproof/wayproof/images/envoy/internal/acceptance"
)

func wholeAnswer(request *discovery.DiscoveryRequest) acceptance.Answer {
	return acceptance.Answer{
		Type: request.GetTypeUrl(), Nonce: request.GetResponseNonce(),
		Rejected: request.GetErrorDetail() != nil, Reason: request.GetErrorDetail().GetMessage(),
	}
}

func deltaAnswer(request *discovery.DeltaDiscoveryRequest) acceptance.Answer {
	return acceptance.Answer{
		Type: request.GetTypeUrl(), Nonce: request.GetResponseNonce(),
		Rejected: request.GetErrorDetail() != nil, Reason: request.GetErrorDetail().GetMessage(),
		Unsubscribed: request.GetResourceNamesUnsubscribe(),
	}
}

func packed(response *discovery.DeltaDiscoveryResponse) []*anypb.Any {
	resources := make([]*anypb.Any, 0, len(response.GetResources()))
	for _, resource := range response.GetResources() {
		if resource.GetResource() != nil {
			resources = append(resources, resource.GetResource())
		}
	}
	return resources
}

func resourceNames(response *discovery.DeltaDiscoveryResponse) []string {
	names := append([]string(nil), response.GetRemovedResources()...)
	for _, resource := range response.GetResources() {
		names = append(names, resource.GetName())
	}
	return names
}
