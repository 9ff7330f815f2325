// Package spoil proves the claims of package claim on recorded runs with a known
// defect. It draws sound recordings from a seed, on which every promise holds,
// and makes one named defect at a time: requests lost or doubled in the record, a
// clock that stepped, a pick that sticks to its connection though the totals are
// right, a copy that is missing. Each defect names beforehand the kinds of claim
// that must notice it; Try says whether they did, and whether any other one did
// that has nothing to do with it.
//
// It is pure and fast: no cluster, no network. Defects of a real mesh are the
// parent package's.
package spoil
