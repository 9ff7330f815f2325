// Package table sets beside each other what Gateway API's own suite and ours make
// of the same defects: the data as it is committed (docs/compare.json), and the
// page that is rendered from it.
package table
