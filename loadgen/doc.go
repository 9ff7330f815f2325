// Package loadgen turns a plan of traffic into observations: an open loop that
// sends each request when its schedule says so, whatever became of the ones
// before it, and writes down what the client saw of every single one.
//
// vegeta paces and sends (github.com/tsenart/vegeta/v12/lib). What vegeta does
// not tell is added by a transport of our own: which connection a request used,
// whether net/http silently sent it twice, when the first byte came, why it
// failed as an enum, and who answered. Times run from the intended instant
// beside the sent one, so that neither a stalled server nor a stalled generator
// can hide latency (coordinated omission).
//
// It does not judge and does not report: observations go to a sink, and
// record.Health says whether the generator kept its own promises. It is no
// general load tool either: an attack is bounded in count and time, and goes
// nowhere but loopback and services inside the cluster (see Plan.Allow).
package loadgen
