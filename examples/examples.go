// Package examples holds the documents and configurations that `yinxin demo`, `yinxind dev` and the tests use, so that
// what the documentation shows is what runs. Everything in it is invented for this project. It promises nothing beyond
// the files themselves.
package examples

import "embed"

// Files are the examples as they lie in this folder.
//
//go:embed *.yaml *.csv *.png
var Files embed.FS
