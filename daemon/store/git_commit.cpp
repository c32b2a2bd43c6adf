#include "store/git_commit.h"

#include "base/crypto.h"

namespace dutybook::store::git {
namespace {

constexpr std::string_view tree_entry("100644 segment\0", 15);
constexpr std::string_view signature_key = "\ngpgsig ";

int nibble(char c) {
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

// Takes "<key><40 hex>\n" off the front of a header.
std::optional<CommitId> take_id(std::string_view& rest, std::string_view key) {
    if (!rest.starts_with(key) || rest.size() < key.size() + 41 || rest[key.size() + 40] != '\n')
        return std::nullopt;
    const auto id = rest.substr(key.size(), 40);
    if (!is_commit_id(id)) return std::nullopt;
    rest.remove_prefix(key.size() + 41);
    return CommitId(id);
}

// The header's folded value ("\n" is written "\n ") up to the line that ends it.
Result<std::string> unfold(std::string_view folded) {
    std::string out;
    for (std::size_t at = 0; at < folded.size(); ++at) {
        out += folded[at];
        if (folded[at] != '\n') continue;
        if (at + 1 >= folded.size() || folded[at + 1] != ' ')
            return malformed("a commit's signature is not its last header");
        ++at;
    }
    return out;
}

}  // namespace

std::string segment_tree(const CommitId& blob) {
    std::string out(tree_entry);
    for (std::size_t at = 0; at + 1 < blob.size(); at += 2)
        out += static_cast<char>(nibble(blob[at]) * 16 + nibble(blob[at + 1]));
    return out;
}

Result<CommitId> blob_of_tree(std::string_view tree) {
    if (tree.size() != tree_entry.size() + 20 || !tree.starts_with(tree_entry))
        return malformed("a segment's tree is not one plain file named \"segment\"");
    const auto raw = tree.substr(tree_entry.size());
    return hex({reinterpret_cast<const std::uint8_t*>(raw.data()), raw.size()});
}

std::string segment_commit(const SegmentHeader& header, const CommitId& tree,
                           const CommitId& parent) {
    const auto person = header.writer + " <" + header.writer + "@dutybook.invalid> " +
                        std::to_string(header.time / 1000) + " +0000\n";
    std::string out = "tree " + tree + "\n";
    if (!parent.empty()) out += "parent " + parent + "\n";
    out += "author " + person + "committer " + person + "\n";
    if (header.last < header.first) return out + "receipt " + std::to_string(header.last) + "\n";
    return out + "segment " + std::to_string(header.first) + "-" + std::to_string(header.last) +
           "\n";
}

std::string with_signature(std::string_view unsigned_bytes, std::string_view signature) {
    if (signature.empty()) return std::string(unsigned_bytes);
    const auto end = unsigned_bytes.find("\n\n");
    std::string out(unsigned_bytes.substr(0, end));
    out += signature_key;
    for (const char c : signature) {
        out += c;
        if (c == '\n') out += ' ';
    }
    return out.append(unsigned_bytes.substr(end));
}

Result<CommitText> read_commit(std::string_view bytes) {
    if (bytes.size() > largest_commit) return failure(Code::TooLarge, "a commit is too large");
    const auto end = bytes.find("\n\n");
    if (end == std::string_view::npos || bytes.find('\0') != std::string_view::npos)
        return malformed("a commit is cut off");
    CommitText out;
    auto rest = bytes;
    const auto tree = take_id(rest, "tree ");
    if (!tree) return malformed("a commit does not begin with its tree");
    out.tree = *tree;
    while (auto parent = take_id(rest, "parent ")) out.parents.push_back(std::move(*parent));
    const auto key = bytes.substr(0, end).find(signature_key);
    if (key == std::string_view::npos) {
        out.unsigned_bytes = bytes;
        return out;
    }
    const auto value = key + signature_key.size();
    TRY_ASSIGN(out.signature, unfold(bytes.substr(value, end - value)));
    out.unsigned_bytes = std::string(bytes.substr(0, key)).append(bytes.substr(end));
    if (out.signature.empty() || with_signature(out.unsigned_bytes, out.signature) != bytes)
        return malformed("a commit's signature is not spelled as it should be");
    return out;
}

}  // namespace dutybook::store::git
