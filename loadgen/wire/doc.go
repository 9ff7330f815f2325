// Package wire is what a load worker and its driver say to each other, one JSON
// object per line, in a form that fits the stdin and stdout of an exec stream.
//
// The driver sends an Order as its first line, then at most one of the words
// "stop" (start no further request, finish what is under way) and "abort"
// (cancel that too).
//
// The worker answers with one line {"wayproof":"begin",...}, then observations
// as bare objects, exactly record.Observation as encoding/json writes it, in the
// order in which requests end, and last one line {"wayproof":"health",...}. A
// stream that ends without that line is a worker that died. An order that it
// cannot carry out is answered by {"wayproof":"refused",...} alone.
//
// The package knows neither HTTP nor processes; package worker has both ends.
package wire
