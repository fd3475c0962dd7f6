# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
# Lines that gcov saw executed, for each of the library's files and in all.
/^File/ {
	file = $2
	gsub(/'/, "", file)
	sub(/.*\//, "", file)
}
/^Lines executed/ && file ~ /\.c$/ {
	split($2, part, /[:%]/)
	printf "%7.2f %% of %4d lines  %s\n", part[2], $4, file
	run += part[2] * $4 / 100
	all += $4
	file = ""
}
END {
	printf "%7.2f %% of %4d lines  all\n", run * 100 / all, all
}
