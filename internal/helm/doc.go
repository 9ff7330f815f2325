// Package helm installs charts through Helm's own SDK, so that what it leaves
// behind is an ordinary Helm release: install or upgrade, nothing at all where
// neither chart nor values changed, and repair of what an earlier, interrupted
// call left half done.
//
// It is no template engine of its own and knows no chart in particular.
package helm
