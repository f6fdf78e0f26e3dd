package mailbox_test

import (
	"context"
	"fmt"

	"github.com/ringmill/ringmill/mailbox"
)

func ExampleNewMPSC() {
	m := mailbox.NewMPSC[string](3)
	for _, v := range []string{"a", "b", "c", "d"} {
		if err := m.TryEnqueue(v); err != nil {
			fmt.Println(v, err)
		}
	}
	m.Close()
	for v, ok := m.TryDequeue(); ok; v, ok = m.TryDequeue() {
		fmt.Println(v)
	}
	fmt.Println("drained", m.Drained())
	// Output:
	// d mailbox: full
	// a
	// b
	// c
	// drained true
}

func ExampleMPSC_TryEnqueueBatch() {
	m := mailbox.NewMPSC[int](4)
	n, err := m.TryEnqueueBatch([]int{1, 2, 3, 4, 5, 6})
	fmt.Println(n, err)

	dst := make([]int, 8)
	fmt.Println(dst[:m.Drain(dst)])
	// Output:
	// 4 mailbox: full
	// [1 2 3 4]
}

// One goroutine serves a mailbox; senders wait for room.
func ExampleNew() {
	m := mailbox.New(mailbox.Config[int]{Capacity: 2, Overflow: mailbox.Wait})
	ctx := context.Background()
	go func() {
		for i := range 5 {
			_ = m.Enqueue(ctx, i)
		}
		m.Close()
	}()
	for {
		v, err := m.Dequeue(ctx)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(v)
	}
	// Output:
	// 0
	// 1
	// 2
	// 3
	// 4
	// mailbox: closed
}

func ExampleConfig_onDrop() {
	m := mailbox.New(mailbox.Config[string]{
		Capacity: 2,
		Overflow: mailbox.DropOldest,
		OnDrop:   func(v string) { fmt.Println("dropped", v) },
	})
	for _, v := range []string{"09:00", "09:01", "09:02"} {
		_ = m.TryEnqueue(v)
	}
	fmt.Println(m.Len(), m.Stats().Dropped)
	// Output:
	// dropped 09:00
	// 2 1
}

func ExampleNewPriority() {
	p := mailbox.NewPriority[string](8)
	_ = p.TryEnqueue(mailbox.Low, "report")
	_ = p.TryEnqueue(mailbox.Urgent, "stop")
	_ = p.TryEnqueue(mailbox.Normal, "work")
	for v, ok := p.TryDequeue(); ok; v, ok = p.TryDequeue() {
		fmt.Println(v)
	}
	// Output:
	// stop
	// work
	// report
}

func ExampleNewKind() {
	for _, kind := range []string{mailbox.KindMPSC, mailbox.KindChan, mailbox.KindMutex} {
		q, err := mailbox.NewKind[int](kind, 2)
		if err != nil {
			fmt.Println(err)
			return
		}
		n, err := q.TryEnqueueBatch([]int{1, 2, 3})
		fmt.Println(kind, n, err)
	}
	// Output:
	// mpsc 2 mailbox: full
	// chan 2 mailbox: full
	// mutex 2 mailbox: full
}
