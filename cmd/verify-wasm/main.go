//go:build js

// Command verify-wasm is internal/verify compiled for browsers: `GOOS=js GOARCH=wasm go build`. It adds one function,
// yinxinVerify(files, trust), to the page that starts it: files is an array of {name, data}, trust is JSON with roots
// (PEM), the log's key and the language. The answer is JSON: the report yinxin.verify/1 and the same in words.
//
// It promises that the verdict is the very one of the command line and of the hub, since the code is the same, and that
// it opens no connection and keeps nothing.
package main

import (
	"syscall/js"
	"time"
)

func main() {
	js.Global().Set("yinxinVerify", js.FuncOf(func(_ js.Value, args []js.Value) any {
		if len(args) != 2 {
			return failed("two arguments are wanted")
		}
		var files []file
		for i := range args[0].Length() {
			f := args[0].Index(i)
			data := make([]byte, f.Get("data").Length())
			js.CopyBytesToGo(data, f.Get("data"))
			files = append(files, file{name: f.Get("name").String(), data: data})
		}
		return judge(files, []byte(args[1].String()), time.Now())
	}))
	select {} // the page goes on calling
}
