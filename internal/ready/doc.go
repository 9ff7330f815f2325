// Package ready proves that a mesh serves what was applied, before a counted
// request is sent: a push of configuration, made after the apply, has been
// acknowledged by every proxy concerned. It never looks at what the
// configuration says, so a route that says the wrong thing opens the gate like
// any other; judging is for claims.
//
// # The argument
//
// istiod takes an object from a watch, notes a change, and, when no change came
// for a moment, builds one snapshot for all proxies and queues it for each; per
// proxy one push is in the making at a time and all that wait are merged into
// the newest. Proxies answer each response by its nonce. Its debug endpoint
// /debug/syncz names, for each proxy and each type of resource, the nonce sent
// last and the nonce acknowledged last.
//
//  1. After the apply, a marker object of each kind is written. A watch delivers
//     in order, so an istiod that has the marker (/debug/configz shows the
//     marker's nonce) has every earlier change of that kind, deletions too.
//  2. Then a marker is written whose change makes istiod send to every waypoint,
//     and awaited until the nonce sent to each has changed; and so again, Rounds
//     times in all. When the first of these markers is written there can be at
//     most three older responses to come for a proxy: of the push in the making,
//     of the one that waits, and of a snapshot that is just being built. The
//     fourth change is therefore of a snapshot that has everything of step 1.
//  3. That response, and the last one of each other type, must be acknowledged.
//     A refusal by the proxy (NACK) is an error with the proxy's words.
//
// Markers live in a namespace of their own, name nobody's hosts, and are
// exported to nowhere.
//
// What this does not prove: connections that were open before keep the old
// configuration until they are drained, so load must open new ones, and so must
// the services that ask others for it.
package ready
