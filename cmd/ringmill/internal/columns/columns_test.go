package columns_test

import (
	"testing"

	"github.com/ringmill/ringmill/cmd/ringmill/internal/columns"
)

func TestOf(t *testing.T) {
	for s, want := range map[string]int{
		"": 0, "load_user": 9, "größer": 6, "e\u0301": 1, "注文": 4, "주문": 4, "ＡＢ": 4, "ｶﾅ": 2, "🚀": 2, "❤\uFE0F": 2,
		"░█…—": 4, "\uFFFD": 1, "a\u200bb": 2,
	} {
		if got := columns.Of(s); got != want {
			t.Errorf("Of(%q) = %d, want %d", s, got, want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, test := range []struct {
		s          string
		n          int
		head, tail string
	}{
		{"short", 9, "short", "short"}, {"short", 2, "sh", "rt"}, {"short", 0, "", ""}, {"short", -1, "", ""},
		{"注文の確認", 5, "注文", "確認"}, {"e\u0301e\u0301", 1, "e\u0301", "e\u0301"},
	} {
		if got := columns.Head(test.s, test.n); got != test.head {
			t.Errorf("Head(%q, %d) = %q, want %q", test.s, test.n, got, test.head)
		}
		if got := columns.Tail(test.s, test.n); got != test.tail {
			t.Errorf("Tail(%q, %d) = %q, want %q", test.s, test.n, got, test.tail)
		}
	}
}

// FuzzCut: cutting never takes more columns than asked for, and
// never loses one that would have fitted.
func FuzzCut(f *testing.F) {
	f.Add("注文の確認 of größer", 5)
	f.Fuzz(func(t *testing.T, s string, n int) {
		for _, part := range []string{columns.Head(s, n), columns.Tail(s, n)} {
			if w := columns.Of(part); w > max(n, 0) || n >= columns.Of(s) && part != s {
				t.Errorf("%q of %q takes %d columns of %d", part, s, w, n)
			}
		}
	})
}
