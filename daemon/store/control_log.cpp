#include "store/git_control.h"

#include "store/git_check.h"
#include "store/git_commit.h"
#include "store/ssh_signature.h"

#include <algorithm>

namespace dutybook::store {
namespace {

constexpr std::size_t most_entries = 65'536;
constexpr std::size_t largest_entry = 1u << 20;
constexpr std::string_view tree_head("100644 entry\0", 13);

std::string tree_of(const CommitId& blob) {
    auto tree = git::segment_tree(blob);
    return std::string(tree_head) + tree.substr(tree.size() - 20);
}

std::string unsigned_commit(const domain::ControlEntry& entry, const CommitId& tree) {
    const auto person =
        entry.space + " <control@dutybook.invalid> " + std::to_string(entry.at / 1000) + " +0000\n";
    std::string out = "tree " + tree + "\n";
    if (!entry.previous.empty()) out += "parent " + entry.previous + "\n";
    return out + "author " + person + "committer " + person + "\ncontrol " +
           std::to_string(entry.number) + "\n";
}

CommitId tree_id(std::string_view blob) {
    return git::hash_object(tree_of(git::hash_object(blob, GIT_OBJECT_BLOB)), GIT_OBJECT_TREE);
}

Result<ControlPiece> read_piece(const git::View& view, const CommitId& commit) {
    ControlPiece piece;
    TRY_ASSIGN(piece.commit_bytes, view.read(commit, GIT_OBJECT_COMMIT, git::largest_commit));
    TRY_ASSIGN(const auto text, git::read_commit(piece.commit_bytes));
    TRY_ASSIGN(const auto tree, view.read(text.tree, GIT_OBJECT_TREE, tree_head.size() + 20));
    if (tree.size() != tree_head.size() + 20 || !tree.starts_with(tree_head))
        return malformed("an entry's tree is not one plain file named \"entry\"");
    // The shape of a segment's tree but for the name.
    const auto blob =
        git::blob_of_tree(std::string("100644 segment\0", 15) + tree.substr(tree_head.size()));
    if (!blob) return blob.error();
    TRY_ASSIGN(piece.blob, view.read(*blob, GIT_OBJECT_BLOB, largest_entry));
    return piece;
}

}  // namespace

CommitId ControlPiece::id() const {
    const git::Runtime runtime;
    return git::hash_object(commit_bytes, GIT_OBJECT_COMMIT);
}

Result<ControlPiece> sign_entry(const domain::ControlEntry& entry, const CommitSigner& signer) {
    const git::Runtime runtime;
    ControlPiece piece;
    piece.blob = domain::write_entry(entry) + "\n";
    const auto text = unsigned_commit(entry, tree_id(piece.blob));
    TRY_ASSIGN(const auto signature, signer.sign(text));
    piece.commit_bytes = git::with_signature(text, signature);
    return piece;
}

Result<domain::SignedEntry> check_piece(const ControlPiece& piece, const std::string& space) {
    const git::Runtime runtime;
    if (piece.blob.empty() || piece.blob.back() != '\n' || piece.blob.size() > largest_entry)
        return malformed("a control entry is no line");
    domain::SignedEntry out;
    out.commit = piece.id();
    TRY_ASSIGN(out.entry,
               domain::read_entry(std::string_view(piece.blob).substr(0, piece.blob.size() - 1)));
    if (!space.empty() && out.entry.space != space)
        return malformed("a control entry belongs to another space", "/space");
    TRY_ASSIGN(const auto text, git::read_commit(piece.commit_bytes));
    if (unsigned_commit(out.entry, tree_id(piece.blob)) != text.unsigned_bytes)
        return malformed("commit " + out.commit + " is not the one that its entry makes");
    if (const auto verified = verify_signature(text.unsigned_bytes, text.signature, out.entry.by);
        !verified)
        return failure(Code::Forbidden,
                       "control entry " + std::to_string(out.entry.number) + " (" + out.commit +
                           ") is not signed by the key that it names",
                       verified.error().what);
    return out;
}

Result<ControlOffer> git::read_offer(const View& view, const CommitId& tip,
                                     const std::string& space,
                                     const std::function<bool(const CommitId&)>& known) {
    ControlOffer out;
    std::vector<CommitId> commits;
    for (CommitId at = tip; !at.empty() && !known(at);) {
        if (commits.size() == most_entries)
            return failure(Code::TooLarge, "a control log has more entries than any can have");
        commits.push_back(at);
        TRY_ASSIGN(at, read_foreign_parent(view, at));
    }
    std::ranges::reverse(commits);
    for (const auto& commit : commits) {
        auto piece = read_piece(view, commit);
        auto entry =
            piece ? check_piece(*piece, space) : Result<domain::SignedEntry>(piece.error());
        if (!entry) {
            out.refused = entry.error();
            break;
        }
        out.pieces.push_back(std::move(*piece));
        out.entries.push_back(std::move(*entry));
    }
    return out;
}

Result<ControlOffer> read_control_chain(const std::string& repository, const CommitId& tip,
                                        const std::string& space) {
    const git::Runtime runtime;
    TRY_ASSIGN(const auto view, git::View::open(repository));
    return git::read_offer(view, tip, space, [](const CommitId&) { return false; });
}

std::string git::control_tree(const CommitId& blob) {
    return tree_of(blob);
}

}  // namespace dutybook::store
