package mailbox_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ringmill/ringmill/mailbox"
	"github.com/ringmill/ringmill/mailbox/workiva"
)

// TestKinds: every kind, the registered one included, keeps the exact capacity, the order and the promises of Close.
func TestKinds(t *testing.T) {
	if want := []string{"chan", "mpsc", "mutex", "workiva"}; !slices.Equal(mailbox.Kinds(), want) {
		t.Fatalf("Kinds = %v, want %v", mailbox.Kinds(), want)
	}
	for _, kind := range mailbox.Kinds() {
		for _, capacity := range []int{1, 5, 8} {
			t.Run(kind, func(t *testing.T) {
				q, err := mailbox.NewKind[int](kind, capacity)
				if err != nil {
					t.Fatal(err)
				}
				testKind(t, q, capacity)
			})
		}
	}
}

func testKind(t *testing.T, q mailbox.Queue[int], capacity int) {
	dst := make([]int, capacity+1)
	for lap := range 3 {
		vs := make([]int, capacity+1)
		for i := range vs {
			vs[i] = 10*lap + i
		}
		if err := q.TryEnqueue(vs[0]); err != nil {
			t.Fatalf("TryEnqueue = %v", err)
		}
		if n, err := q.TryEnqueueBatch(vs[1:]); n != capacity-1 || !errors.Is(err, mailbox.ErrFull) {
			t.Fatalf("TryEnqueueBatch = %d, %v, want %d, ErrFull", n, err, capacity-1)
		}
		if q.Len() != capacity || !q.Ready() {
			t.Fatalf("Len = %d, Ready %t when full", q.Len(), q.Ready())
		}
		if n := q.Drain(dst); !slices.Equal(dst[:n], vs[:capacity]) {
			t.Fatalf("Drain = %v, want %v", dst[:n], vs[:capacity])
		}
		if q.Ready() || q.Len() != 0 || q.Drained() || q.Drain(dst) != 0 {
			t.Fatal("an empty queue has something ready or is drained before Close")
		}
	}
	if err := q.TryEnqueue(1); err != nil {
		t.Fatal(err)
	}
	q.Close()
	if err := q.TryEnqueue(2); !errors.Is(err, mailbox.ErrClosed) {
		t.Fatalf("TryEnqueue after Close = %v", err)
	}
	if n, err := q.TryEnqueueBatch([]int{2}); n != 0 || !errors.Is(err, mailbox.ErrClosed) {
		t.Fatalf("TryEnqueueBatch after Close = %d, %v", n, err)
	}
	if q.Drained() || q.Drain(dst) != 1 || !q.Drained() {
		t.Fatal("Drained is not exact after Close")
	}
}

func TestUnknownKind(t *testing.T) {
	_, err := mailbox.NewKind[int]("ring", 8)
	if err == nil || !strings.Contains(err.Error(), `"ring"`) || !strings.Contains(err.Error(), "chan, mpsc, mutex, workiva") {
		t.Errorf("NewKind of an unknown kind: %v", err)
	}
	if q, err := mailbox.NewKind[int]("", 8); err != nil || q == nil {
		t.Errorf("NewKind of the default kind = %v, %v", q, err)
	}
}

// TestKindOfInterfaces: a registered kind gives back a nil interface value as it was sent.
func TestKindOfInterfaces(t *testing.T) {
	q, err := mailbox.NewKind[error]("workiva", 2)
	if err != nil {
		t.Fatal(err)
	}
	dst := []error{errors.New("old")}
	if err := q.TryEnqueue(nil); err != nil || q.Drain(dst) != 1 || dst[0] != nil {
		t.Errorf("received %v, %v, want nil", dst[0], err)
	}
}

// TestRegister: a kind with a name of its own and a constructor is known then; an empty or taken name or a nil constructor is
// refused, with the reason.
func TestRegister(t *testing.T) {
	const kind = "test"
	create := func(capacity int) mailbox.Queue[any] { return workiva.New(capacity) }
	mailbox.Register(kind, create)
	t.Cleanup(func() { mailbox.Unregister(kind) })
	if q, err := mailbox.NewKind[int](kind, 1); err != nil || q == nil {
		t.Errorf("NewKind of a registered kind = %v, %v", q, err)
	}
	for _, tt := range []struct {
		kind   string
		create func(capacity int) mailbox.Queue[any]
		want   string
	}{
		{"", create, "empty or taken"},
		{mailbox.KindMPSC, create, "empty or taken"},
		{mailbox.KindChan, create, "empty or taken"},
		{mailbox.KindMutex, create, "empty or taken"},
		{kind, create, "empty or taken"},
		{"test of nil", nil, "the constructor is nil"},
	} {
		func() {
			defer func() {
				if reason := fmt.Sprint(recover()); !strings.Contains(reason, tt.want) {
					t.Errorf("Register(%q): the panic is %s, want one that says %q", tt.kind, reason, tt.want)
				}
			}()
			mailbox.Register(tt.kind, tt.create)
			mailbox.Unregister(tt.kind) // it was not refused
		}()
	}
}
