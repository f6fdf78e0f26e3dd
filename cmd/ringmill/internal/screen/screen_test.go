package screen_test

import (
	"bytes"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"go.uber.org/goleak"

	"github.com/ringmill/ringmill/cmd/ringmill/internal/screen"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A terminal keeps what is written to it, and shows the rows that a reader
// would see.
type terminal struct {
	mu    sync.Mutex
	text  bytes.Buffer
	count int
}

func (t *terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count++
	return t.text.Write(p)
}

func (t *terminal) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

func (t *terminal) writes() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.count
}

// rows plays the control sequences that a Live uses.
func (t *terminal) rows() []string {
	rows := []string{""}
	column, last := 0, 0
	text := strings.ReplaceAll(t.String(), "\x1b[K", "\x00")
	for _, r := range text {
		row := []rune(rows[last])
		switch r {
		case '\r':
			column = 0
		case '\n':
			rows = append(rows, "")
			last, column = last+1, 0
		case '\x00':
			rows[last] = string(row[:min(column, len(row))])
		default:
			row = append(row[:min(column, len(row))], append([]rune{r}, row[min(column+1, len(row)):]...)...)
			rows[last] = string(row)
			column++
		}
	}
	return rows
}

func TestLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out terminal
		var line atomic.Pointer[string]
		line.Store(new("a long first line"))
		live := screen.NewLive(&out, func() string { return *line.Load() })
		see := func(want ...string) {
			t.Helper()
			synctest.Wait()
			if got := strings.Join(out.rows(), "/"); got != strings.Join(want, "/") {
				t.Errorf("the screen shows %q, want %q", got, strings.Join(want, "/"))
			}
		}
		see("")
		time.Sleep(150 * time.Millisecond) // the bubble's clock
		see("a long first line")
		line.Store(new("shorter"))
		time.Sleep(100 * time.Millisecond)
		see("shorter")

		_, _ = live.Write([]byte("log one\n"))
		see("log one", "")
		time.Sleep(100 * time.Millisecond)
		see("log one", "shorter")

		_, _ = live.Write([]byte("half a "))
		time.Sleep(time.Second)
		see("log one", "half a ") // the line waits for the end of the text
		_, _ = live.Write([]byte("line\n"))
		time.Sleep(100 * time.Millisecond)
		see("log one", "half a line", "shorter")

		live.Stop()
		see("log one", "half a line", "")
		_, _ = live.Write([]byte("after\n"))
		see("log one", "half a line", "after", "")
	})
}

// TestLiveDoesNotFlicker: a frame is one write, ten of them a second.
func TestLiveDoesNotFlicker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out terminal
		live := screen.NewLive(&out, func() string { return "x" })
		time.Sleep(time.Second + 50*time.Millisecond)
		synctest.Wait()
		if out.writes() != 10 {
			t.Errorf("%d writes in a second, want 10", out.writes())
		}
		live.Stop()
	})
}

// TestPlain: the longer it takes the fewer lines.
func TestPlain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out terminal
		begin := time.Now()
		plain := screen.NewPlain(&out, func() string { return time.Since(begin).String() })
		time.Sleep(500 * time.Millisecond)
		synctest.Wait()
		if out.writes() != 0 {
			t.Errorf("%d lines in half a second, want none", out.writes())
		}
		time.Sleep(time.Hour)
		plain.Stop()
		if !strings.HasPrefix(out.String(), "1s\n2s\n3s\n") {
			t.Errorf("begins with %.20q, want a line a second", out.String())
		}
		if out.writes() > 80 {
			t.Errorf("%d lines in an hour, want less than 80", out.writes())
		}
	})
}

func TestLine(t *testing.T) {
	draw := func(width int) string { return screen.Line(width, 0.5, "etl", "5/10 tasks done", "1.0s") }
	for _, test := range []struct {
		width int
		want  string
	}{
		{0, "etl  5/10 tasks done  1.0s"},
		{120, "etl  ━━━━━━━━━━━━━━━━━━━━────────────────────  5/10 tasks done  1.0s"},
		{39, "etl  ━━━━━─────  5/10 tasks done  1.0s"},
		{38, "etl  5/10 tasks done  1.0s"},
		{12, "etl  5/10 t"},
		{1, ""},
	} {
		got := draw(test.width)
		if got != test.want {
			t.Errorf("at %d columns: %q, want %q", test.width, got, test.want)
		}
		if test.width > 0 && utf8.RuneCountInString(got) >= test.width {
			t.Errorf("at %d columns: %d characters", test.width, utf8.RuneCountInString(got))
		}
	}
}

// TestWideLine: a line of wide characters stays in its row, else each frame would
// leave one behind.
func TestWideLine(t *testing.T) {
	for width, want := range map[int]string{
		60: "注文の確認  ━━━━━━━━━━━━────────────  5/10 tasks done  1.0s",
		30: "注文の確認  5/10 tasks done  ",
		8:  "注文の",
	} {
		if got := screen.Line(width, 0.5, "注文の確認", "5/10 tasks done", "1.0s"); got != want {
			t.Errorf("at %d columns: %q, want %q", width, got, want)
		}
	}
}
