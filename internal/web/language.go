package web

import (
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"yinxin/verdict"
)

// language is one of those in which the console speaks.
type language string

const (
	chinese language = "zh-CN"
	english language = "en"
)

const languageCookie = "yinxin-language"

// languageOf is what the person chose; Chinese until then.
func languageOf(r *http.Request) language {
	if c, err := r.Cookie(languageCookie); err == nil && language(c.Value) == english {
		return english
	}
	return chinese
}

// verdict is the language as package verdict names it.
func (l language) verdict() verdict.Language {
	if l == english {
		return verdict.English
	}
	return verdict.Chinese
}

//go:embed locales/*.json
var locales embed.FS

// catalogue holds every text of one language by its key.
type catalogue map[string]string

func loadCatalogue(l language) (catalogue, error) {
	data, err := locales.ReadFile("locales/" + string(l) + ".json")
	if err != nil {
		return nil, err
	}
	texts := catalogue{}
	if err := json.Unmarshal(data, &texts); err != nil {
		return nil, fmt.Errorf("read texts in %s: %w", l, err)
	}
	return texts, nil
}

// text is the text of a key with its {0}, {1} … filled in. A key without a text stands for itself; the test of the
// catalogues finds it.
func (t catalogue) text(key string, args ...any) string {
	text, ok := t[key]
	if !ok {
		return key
	}
	for i, a := range args {
		text = strings.ReplaceAll(text, fmt.Sprintf("{%d}", i), fmt.Sprint(a))
	}
	return text
}

// word is the text of a key, or otherwise where there is none: for values that come from elsewhere.
func (t catalogue) word(key, otherwise string) string {
	if text, ok := t[key]; ok {
		return text
	}
	return otherwise
}
