// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/ioasid: limits, sets, and the numbers that were freed but
 * have not returned to the pool yet.
 */
#include <kunit/visibility.h>
#include <linux/debugfs.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/rculist.h>
#include <linux/user_namespace.h>

#include "ioasid_priv.h"

static struct dentry *ioasid_debugfs;

static int ioasid_pool_show(struct seq_file *m, void *unused)
{
	seq_printf(m, "ceiling %u\nallocated %u\ndefault_quota %u\n",
		   ioasid_limit(IOASID_CEILING), ioasid_total(),
		   ioasid_limit(IOASID_DEFAULT_QUOTA));
	seq_printf(m, "host_reserve %u\nuser_limit %u\n",
		   ioasid_limit(IOASID_HOST_RESERVE),
		   ioasid_limit(IOASID_USER_LIMIT));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(ioasid_pool);

static void *ioasid_sets_start(struct seq_file *m, loff_t *pos)
	__acquires(RCU)
{
	rcu_read_lock();
	return seq_list_start_head_rcu(&ioasid_sets, *pos);
}

static void *ioasid_sets_next(struct seq_file *m, void *v, loff_t *pos)
{
	return seq_list_next_rcu(v, &ioasid_sets, pos);
}

static void ioasid_sets_stop(struct seq_file *m, void *v)
	__releases(RCU)
{
	rcu_read_unlock();
}

static int ioasid_sets_show(struct seq_file *m, void *v)
{
	static const char * const types[] = { "file" };
	struct ioasid_set_stats stats;
	struct ioasid_set *set;

	if (v == &ioasid_sets) {
		seq_puts(m, "set type token user quota active free_pending spids users\n");
		return 0;
	}
	set = list_entry(v, struct ioasid_set, node);
	ioasid_set_stats(set, &stats);
	seq_printf(m, "%u %s %p %u %u %u %u %u %u\n", set->nr, types[set->type],
		   READ_ONCE(set->token), from_kuid(&init_user_ns, set->user->uid),
		   stats.quota, stats.active, stats.free_pending, stats.spids,
		   refcount_read(&set->users));
	return 0;
}

const struct seq_operations ioasid_sets_sops = {
	.start = ioasid_sets_start,
	.next = ioasid_sets_next,
	.stop = ioasid_sets_stop,
	.show = ioasid_sets_show,
};
EXPORT_SYMBOL_IF_KUNIT(ioasid_sets_sops);
DEFINE_SEQ_ATTRIBUTE(ioasid_sets);

/* Return the first FREE_PENDING IOASID with a number of at least @pos. */
static struct ioasid *pending_from(loff_t *pos)
{
	struct ioasid *ioasid;
	unsigned long id;

	xa_for_each_range(&ioasid_numbers, id, ioasid, *pos, IOASID_MAX) {
		if (READ_ONCE(ioasid->pending)) {
			*pos = id;
			return ioasid;
		}
	}
	return NULL;
}

/* Position 0 is the header line, as no IOASID has the number 0. */
static void *ioasid_free_pending_start(struct seq_file *m, loff_t *pos)
	__acquires(RCU)
{
	rcu_read_lock();
	return *pos ? pending_from(pos) : SEQ_START_TOKEN;
}

static void *ioasid_free_pending_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return pending_from(pos);
}

static void ioasid_free_pending_stop(struct seq_file *m, void *v)
	__releases(RCU)
{
	rcu_read_unlock();
}

static int ioasid_free_pending_show(struct seq_file *m, void *v)
{
	struct ioasid *ioasid = v;

	if (v == SEQ_START_TOKEN) {
		seq_puts(m, "number set age_ms state references\n");
		return 0;
	}
	seq_printf(m, "%u %u %u %s %u\n", ioasid->id, ioasid->set->nr,
		   jiffies_to_msecs((u32)jiffies - READ_ONCE(ioasid->freed)),
		   READ_ONCE(ioasid->told) ? "held" : "telling",
		   READ_ONCE(ioasid->gets));
	return 0;
}

const struct seq_operations ioasid_free_pending_sops = {
	.start = ioasid_free_pending_start,
	.next = ioasid_free_pending_next,
	.stop = ioasid_free_pending_stop,
	.show = ioasid_free_pending_show,
};
EXPORT_SYMBOL_IF_KUNIT(ioasid_free_pending_sops);
DEFINE_SEQ_ATTRIBUTE(ioasid_free_pending);

void ioasid_debugfs_init(void)
{
	ioasid_debugfs = debugfs_create_dir("ioasid", NULL);
	debugfs_create_file("pool", 0400, ioasid_debugfs, NULL, &ioasid_pool_fops);
	debugfs_create_file("sets", 0400, ioasid_debugfs, NULL, &ioasid_sets_fops);
	debugfs_create_file("free_pending", 0400, ioasid_debugfs, NULL,
			    &ioasid_free_pending_fops);
}

void ioasid_debugfs_exit(void)
{
	debugfs_remove_recursive(ioasid_debugfs);
}
