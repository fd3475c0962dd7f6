// SPDX-License-Identifier: GPL-2.0-only
/*
 * Limits of host-wide PASIDs hold against a user, not against a file.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kselftest_harness.h>

#include "gpasid_utils.h"

#define IOMMUFD		"/dev/iommu"
#define USER_LIMIT	"/sys/module/ioasid/parameters/user_limit"
#define SOMEBODY	1000
#define FILES		17
#define LIMIT		100

FIXTURE(limits)
{
	mode_t mode;
};

FIXTURE_SETUP(limits)
{
	struct stat st;

	ASSERT_EQ(0, stat(IOMMUFD, &st));
	self->mode = st.st_mode;
	ASSERT_EQ(0, chmod(IOMMUFD, 0666));
	ASSERT_EQ(0, sysfs_write(USER_LIMIT, "100"));
}

FIXTURE_TEARDOWN(limits)
{
	EXPECT_EQ(0, chmod(IOMMUFD, self->mode & 07777));
	EXPECT_EQ(0, sysfs_write(USER_LIMIT, "0"));
}

static int alloc(int fd)
{
	struct iommu_gpasid_alloc cmd = { .size = sizeof(cmd) };

	return gvm_ioctl(fd, IOMMU_GPASID_ALLOC, &cmd);
}

/* As @uid: open so many files and allocate what there is; how many, or 255. */
static int take_all(uid_t uid, int files)
{
	int taken = 0, status, rc, fd;
	pid_t pid = fork();

	if (pid) {
		waitpid(pid, &status, 0);
		return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
	}
	if (setgid(uid) || setuid(uid))
		_exit(255);
	while (files--) {
		fd = open(IOMMUFD, O_RDWR);
		for (rc = 0; fd >= 0 && !rc && taken < 254; taken += !rc)
			rc = alloc(fd);
		if (fd < 0 || rc != -ENOSPC)
			_exit(255);
	}
	_exit(taken);
}

TEST_F(limits, are_not_a_files)
{
	EXPECT_EQ(LIMIT, take_all(SOMEBODY, FILES));
}

TEST_F(limits, of_one_user_are_not_another_users)
{
	int fd = open(IOMMUFD, O_RDWR);

	ASSERT_LE(0, fd);
	EXPECT_EQ(LIMIT, take_all(SOMEBODY, FILES));
	EXPECT_EQ(LIMIT, take_all(SOMEBODY + 1, FILES));
	EXPECT_EQ(0, alloc(fd));
	close(fd);
}

TEST_F(limits, give_little_to_a_file_without_a_device)
{
	EXPECT_EQ(IOMMU_GPASID_ALONE_MAX, take_all(SOMEBODY, 1));
}

TEST_HARNESS_MAIN
