package document_test

import (
	"errors"
	"testing"

	"yinxin/document"
)

// A degree in brackets at the end of a title is a mark; the same words elsewhere in a title are words.
func TestClassifiedTitles(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]bool{
		"关于开展检查的通知（秘密）": true, "关于开展检查的通知(机密)": true, "关于开展检查的通知【绝密】": true, "关于开展检查的通知〔机 密〕": true,
		"关于做好保密（秘密）教育的通知": false, "关于修订《保守国家秘密》读本的通知": false, "关于商业秘密（技术秘密）保护的通知": false,
		"关于保护商业秘密": false, "关于开展检查的通知（试行）": false,
	} {
		err := document.CheckJSON("title", map[string]any{"title": title})
		if errors.Is(err, document.ErrClassified) != want {
			t.Errorf("%s: %v, want classified %v", title, err, want)
		}
	}
}
