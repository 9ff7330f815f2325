// Package stat is the arithmetic of verdicts: exact tests on counts, the sample
// sizes that they need, and what they cost. It knows nothing of meshes,
// requests or files.
//
// Three rules hold everywhere. Shares and deviations are ratios of integers and
// observations are compared as counts, because 0.70-0.05 is not 0.65 in
// floating point. Tails are summed or taken from the incomplete beta function,
// never formed as one minus something. And a design is fixed before the first
// observation: nothing here looks at data to choose a size or a boundary.
//
// "Exact" in a comment means that the error probability is that of the discrete
// distribution itself; approximations say so.
package stat
