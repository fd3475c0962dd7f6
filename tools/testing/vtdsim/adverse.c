// SPDX-License-Identifier: GPL-2.0-only
/*
 * --adverse: what hardware may do and a polite model does not.
 *
 * The polite unit executes a whole submission at once, reads an entry whole,
 * caches what was asked for and nothing else, and moves the bytes in the step
 * that translates their address.  An adverse one
 * - executes one descriptor a round, and rests for a random number of rounds
 *   before any of them; every endpoint does DMA in between;
 * - executes a device-TLB invalidation before the PASID-cache or context-cache
 *   invalidation that stands right before it, which is all the disorder that the
 *   specification allows for these and would matter;
 * - leaves a request on its way for a random number of rounds after its address
 *   was translated: a read that fetches late, a write that lands late.  What
 *   drains (the DR and DW flags, an invalidation of the device TLB) makes it
 *   arrive, for a drain that is only awaited is over when all has arrived;
 * - leaves page requests and page responses on their way, until a wait with PD;
 * - fetches a PASID-table entry in pieces of 128 bits, the one with P first, and
 *   forgets it now and then, to fetch it again;
 * - brings neighbours of what was asked for into its caches, if that needs no
 *   accessed or dirty flag, and PASID-table entries that are present;
 * - caches parts of large pages.
 *
 * All of it is chance, drawn from one generator that --seed starts; so is what
 * leaves a cache unasked (--evict), in a polite unit, too.
 */
#include <time.h>
#include "adverse.h"
#include "state.h"

#define REST_PERMILLE	250
#define REST_MAX	40	/* rounds */
#define FLIGHT_PERMILLE	600
#define FLIGHT_MAX	60
#define FLIGHT_LONG	10000
#define LONG_PERMILLE	10	/* of those in flight, and of page requests */
#define MESSAGE_MAX	60
#define PAUSE_SHORT	50	/* turns of an empty loop */
#define PAUSE_LONG_NS	100000
#define PAUSE_PERMILLE	200	/* how often it is a long one */
#define PAUSE_EVERY	1000	/* rounds; no more often than that */

u64 sim_random(struct sim *sim)
{
	sim->random ^= sim->random << 13;
	sim->random ^= sim->random >> 7;
	sim->random ^= sim->random << 17;
	return sim->random;
}

/* --evict: drop by chance what was just found in a cache; true if dropped. */
bool sim_evict(struct unit *u)
{
	struct sim *sim = u->sim;

	if (!sim->cfg.evict || sim_random(sim) % 1000 >= sim->cfg.evict)
		return false;
	u->cnt.u_evictions++;
	return true;
}

static bool chance(struct sim *sim, u32 permille)
{
	return sim_random(sim) % 1000 < permille;
}

bool adverse_chance(struct unit *u, u32 permille)
{
	return u->sim->cfg.adverse && chance(u->sim, permille);
}

/* Rounds that a descriptor, an access or a message takes; 0 when polite. */
u32 adverse_rest(struct unit *u)
{
	if (!adverse_chance(u, REST_PERMILLE))
		return 0;
	return 1 + sim_random(u->sim) % REST_MAX;
}

u32 adverse_flight(struct unit *u)
{
	if (!adverse_chance(u, FLIGHT_PERMILLE))
		return 0;
	return 1 + sim_random(u->sim) % (chance(u->sim, LONG_PERMILLE) ?
					  FLIGHT_LONG : FLIGHT_MAX);
}

u32 adverse_message(struct unit *u, bool response)
{
	if (!u->sim->cfg.adverse)
		return 0;
	if (!response && chance(u->sim, LONG_PERMILLE))
		return sim_random(u->sim) % FLIGHT_LONG;
	return sim_random(u->sim) % MESSAGE_MAX;
}

/*
 * Between two reads of one entry: time for software to write to it.  A long one
 * sleeps, so that the VM gets on even where it shares the processor.
 */
void adverse_pause(struct unit *u)
{
	struct timespec ts = { 0 };
	struct sim *sim = u->sim;
	u32 turns;

	if (!sim->cfg.adverse)
		return;
	if (sim->paused) {
		sim->paused(sim->msi_ctx);
		return;
	}
	if (sim->rounds - sim->last_pause > PAUSE_EVERY &&
	    chance(sim, PAUSE_PERMILLE)) {
		sim->last_pause = sim->rounds;
		ts.tv_nsec = sim_random(sim) % PAUSE_LONG_NS;
		nanosleep(&ts, NULL);
		return;
	}
	turns = sim_random(sim) % PAUSE_SHORT;
	while (turns--)
		__asm__ volatile("pause");
}

/* The level at which a page of @level is cached: as it is, or a part of it. */
u8 adverse_level(struct unit *u, u8 level)
{
	if (level == 1 || !adverse_chance(u, 500))
		return level;
	return 1 + sim_random(u->sim) % (level - 1);
}
