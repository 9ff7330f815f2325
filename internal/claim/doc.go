// Package claim judges promises from the record of a run. A claim is a pure
// function: it reads a plan and what was observed and gives a verdict, so that
// the same record gives the same verdict anywhere, years later, without a
// cluster.
//
// Judge reads a record once for all promises. Each claim keeps bytes per
// request (an arm, a count, a bit), not observations; items may come in any
// order. Requests are put into their intended order by Seq before a sequential
// test looks at them: completion order is biased towards fast answers.
//
// What a claim can say: held, violated, inconclusive; unsupported if the
// environment lacks what the promise requires. Before any claim speaks, the
// stages that it reads must be whole and their generator healthy; else the
// verdict is inconclusive and blames the harness. A claim that panics is
// inconclusive too. Nothing here retries, and nothing talks to a mesh.
//
// Two kinds of error are bounded: a violated verdict about a sound mesh has
// probability at most Promise.Alpha, a held verdict about a mesh that deviates
// by Promise.Delta at most Promise.Beta. Claims that say "each" or "none" have
// no false alarm at all under their promise and need N only for Beta.
package claim
