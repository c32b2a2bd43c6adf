#pragma once
// The bytes of the commits and trees that a log is made of. Both follow from the segment's header
// alone, so a commit is checked by making it again and comparing: nothing of a foreign commit is
// ever interpreted.
//
//   tree <blob's tree>
//   parent <segment before, within the volume>
//   author <writer> <<writer>@dutybook.invalid> <seconds> +0000
//   committer (the same)
//   gpgsig <SSH signature>            (if signed; always the last header)
//
//   segment 1-200                     ("receipt 200" if it holds no operation)

#include "store/segment.h"

namespace dutybook::store::git {

constexpr std::size_t largest_commit = 8 * 1024;

struct CommitText {
    CommitId tree;
    std::vector<CommitId> parents;
    std::string unsigned_bytes;  // what a signature is made over
    std::string signature;       // empty = unsigned
};

std::string segment_tree(const CommitId& blob);
// The blob's id in a tree that has exactly one entry, a plain file named "segment".
Result<CommitId> blob_of_tree(std::string_view tree);

std::string segment_commit(const SegmentHeader& header, const CommitId& tree,
                           const CommitId& parent);
// `unsigned_bytes` with the signature as the last header.
std::string with_signature(std::string_view unsigned_bytes, std::string_view signature);
// Takes a commit apart. Only the one spelling that with_signature makes is accepted.
Result<CommitText> read_commit(std::string_view bytes);

}  // namespace dutybook::store::git
