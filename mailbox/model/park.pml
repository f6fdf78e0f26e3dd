/*
 * The protocol of claim, publish, drain, park and close of mailbox.MPSC and mailbox.Mailbox.
 *
 * A step of the model is an atomic operation of the code together with the steps after it that touch only what the
 * process owns: values are written with the claim that made the slots the producer's, and read with the load of the
 * word that made them the consumer's. Go's atomics are sequentially consistent, and so is the model.
 * headSeen is left out: it is an older head, and the producer's h may be as old as it likes already.
 * Senders that wait for room are a guard here.
 *
 * The ring is made by the first enqueue. A consumer that sleeps before that leaves its mark in place of the ring, and
 * making the ring moves the mark into the word of position 0.
 *
 * Parameters: PRODUCERS, MESSAGES (of each producer), CAPACITY, SIZE (the power of two at or above CAPACITY).
 * GIVE_UP: whether the consumer may give up a sleep once.
 * BROKEN_PARK, BROKEN_CLOSE, BROKEN_RING and BROKEN_UNPARK leave out what makes parking right; the check must then fail.
 *
 * Checked, in every interleaving: nobody waits for ever (no invalid end state), a slot is empty when it is claimed and
 * full when it is read, each producer's messages arrive in order, everything accepted is received before the consumer
 * leaves, the capacity is kept, and each sleep gets at most one wake-up.
 */

#define TOTAL (PRODUCERS * MESSAGES)
#define SLOT(p) ((p) % SIZE)

byte tail, head;
bool closed;		/* closedBit: read and changed together with tail */

#define NONE 0
#define ASLEEP 1	/* none, and the consumer sleeps */
#define MADE 2
byte ring = NONE;

byte word[SIZE];	/* 1 + the position last published as the start of a run, */
byte length[SIZE];	/* and the length of that run */
bool parked[SIZE];	/* parkedBit: read and changed together with word */
byte value[SIZE];	/* 0: empty; else 1 + producer * MESSAGES + number of the message */

byte tokens;		/* in the wake channel */

inline wake() {
	tokens++;
	assert(tokens <= 1)
}

inline put(p, number) {
	assert(value[SLOT(p)] == 0);
	value[SLOT(p)] = 1 + me * MESSAGES + number
}

proctype producer(byte me) {
	byte sent, t, n, seen;
	bool was_parked;

	do
	:: sent == MESSAGES -> break
	:: sent < MESSAGES ->
		atomic {	/* load of ring: is there one? */
			if
			:: ring == MADE -> goto made
			:: else
			fi
		}
		atomic {	/* Closed */
			if
			:: closed -> break
			:: else
			fi
		}
		do		/* makeRing */
		:: atomic { ring != MADE -> seen = ring };
			atomic {	/* CAS of ring; the new ring is marked as seen says */
				if
				:: ring == seen ->
					ring = MADE;
#ifndef BROKEN_RING
					parked[SLOT(0)] = (seen == ASLEEP);
#endif
					break
				:: else
				fi
			}
		:: ring == MADE -> break
		od;
		seen = NONE;
made:		atomic {	/* load of tail */
			if
			:: closed -> break
			:: else -> t = tail
			fi
		}
		atomic {	/* load of head: how much fits? */
			if
			:: t - head >= CAPACITY -> (tail - head < CAPACITY || closed); n = 0
			:: t - head < CAPACITY -> n = 1
			:: t - head + 1 < CAPACITY && sent + 1 < MESSAGES -> n = 2	/* a batch */
			fi
		}
		atomic {	/* the claim: CAS of tail, closedBit in it */
			if
			:: n > 0 && tail == t && !closed ->
				tail = t + n;
				assert(tail - head <= CAPACITY);
				put(t, sent);
				if
				:: n == 2 -> put(t + 1, sent + 1)
				:: else
				fi
			:: else -> n = 0
			fi
		}
		if
		:: n > 0 ->
			atomic {	/* the publishing: Swap of the word */
				was_parked = parked[SLOT(t)];
				word[SLOT(t)] = t + 1;
				length[SLOT(t)] = n;
				parked[SLOT(t)] = false;
				sent = sent + n; n = 0
			}
			if
			:: was_parked -> atomic { was_parked = false; wake() }
			:: else
			fi
		:: else
		fi
	od
}

proctype consumer() {
	byte next[PRODUCERS];
	byte v, n;
	bool may_give_up = GIVE_UP;	/* one sleep may end as when a context ends */

	do
	:: atomic { word[SLOT(head)] == head + 1 ->	/* load of the word */
			n = length[SLOT(head)]
		}
		do	/* the run, one message after another */
		:: n > 0 ->
			atomic {
				v = value[SLOT(head)];
				assert(v != 0);
				assert((v - 1) % MESSAGES == next[(v - 1) / MESSAGES]);
				next[(v - 1) / MESSAGES]++;
				value[SLOT(head)] = 0;
				v = 0; n--;
				head++	/* store of head */
			}
		:: else -> break
		od
	:: closed && tail == head -> break	/* Drained */
	:: word[SLOT(head)] != head + 1 ->
#ifdef BROKEN_PARK
		/* Check, then set: the message may be published in between. */
		atomic {
			if
			:: ring == NONE -> ring = ASLEEP
			:: else -> parked[SLOT(head)] = true
			fi
		}
#else
		atomic {	/* CAS of ring, with the load before it */
			if
			:: ring == NONE -> ring = ASLEEP; goto asleep
			:: else
			fi
		}
		atomic {	/* CAS of the word, with the load before it */
			if
			:: word[SLOT(head)] != head + 1 -> parked[SLOT(head)] = true
			:: else -> goto again
			fi
		}
asleep:		skip;
#endif
#ifndef BROKEN_CLOSE
		if	/* Drained once more: Close may have looked before the bit was set */
		:: closed && tail == head ->
			atomic {	/* unpark: CAS of ring */
				if
				:: ring == ASLEEP -> ring = NONE; break
				:: else
				fi
			}
			atomic {	/* or CAS of the word */
				if
				:: parked[SLOT(head)] -> parked[SLOT(head)] = false; break
				:: else		/* somebody else cleared it, so a token comes */
				fi
			}
		:: else
		fi;
#endif
		if
		:: atomic { tokens > 0 -> tokens-- }
		:: may_give_up ->
			atomic {	/* unpark: CAS of ring */
				may_give_up = false;
				if
				:: ring == ASLEEP -> ring = NONE; goto again
				:: else
				fi
			}
			atomic {	/* or CAS of the word */
				if
				:: parked[SLOT(head)] -> parked[SLOT(head)] = false; goto again
				:: else
				fi
			}
			atomic { tokens > 0 -> tokens-- }
		fi;
again:		skip
	od;
	assert(closed && tail == head)
}

/* Close comes at any time, or only when everything was received: then it repairs no lost wake-up. */
proctype closer() {
	byte h;
	bool early;

	if
	:: early = true
	:: early = false
	fi;
	(early || head == TOTAL);
	closed = true;
load:	atomic {	/* unpark: load of ring */
		if
		:: ring == ASLEEP
		:: ring == NONE -> goto done
		:: ring == MADE -> goto made
		fi
	}
	atomic {	/* CAS of ring: a producer may have made it since, and moved the mark */
		if
		:: ring == ASLEEP -> ring = NONE; wake(); goto done
#ifdef BROKEN_UNPARK
		:: else -> goto done
#else
		:: else -> goto load
#endif
		fi
	}
made:	h = head;
	atomic {	/* CAS of the word */
		if
		:: parked[SLOT(h)] -> parked[SLOT(h)] = false; wake()
		:: else
		fi
	}
done:	skip
}

init {
	byte p;

	atomic {
		do
		:: p < PRODUCERS -> run producer(p); p++
		:: else -> break
		od;
		run consumer();
		run closer()
	}
}
