#pragma once
// libgit2's memory, with a bound. A pack may hold an object of a thousand bytes as the delta of one
// of many gigabytes, and libgit2 inflates the base to read it; nothing in its interface tells
// beforehand (GIT_OPT_SET_PACK_MAX_OBJECT_SIZE holds for its own fetch alone). So one allocation
// beyond the bound fails, and the read with it.

#include <git2.h>
#include <git2/sys/alloc.h>

#include <cstddef>

namespace dutybook::store::git {

constexpr std::size_t largest_allocation = std::size_t{48} << 20;

git_allocator bounded_allocator();

}  // namespace dutybook::store::git
