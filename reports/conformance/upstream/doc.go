// Package upstream holds no code: its tests hold the conformance report against
// Gateway API's own types. It is a module of its own, so that those types, and
// the API machinery that they bring, are no dependency of the product.
package upstream
