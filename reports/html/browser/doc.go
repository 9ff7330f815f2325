// Package browser holds no code: its tests open the page of package html in a
// real Chromium, over the DevTools protocol, and use it as a reader would. It
// is a module of its own, so that the driver is no dependency of the product.
// Where there is no Chromium the tests are skipped and say so.
package browser
