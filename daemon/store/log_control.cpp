// The control log's part of the log: entries held, taken over and put, and logs that are cut where
// a removed site's count ends.

#include "store/git_control.h"
#include "store/git_refs.h"
#include "store/log_git.h"
#include "store/ssh_signature.h"

#include <algorithm>
#include <set>

namespace dutybook::store {

using git::View;

namespace {

constexpr std::string_view lost_refs = "refs/dutybook/evidence/control/";
constexpr std::string_view log_evidence = "refs/dutybook/evidence/";

// The chain below `tip` among entries.
std::set<CommitId> chain_of(const std::vector<domain::SignedEntry>& entries, const CommitId& tip) {
    std::map<CommitId, CommitId> previous;
    for (const auto& one : entries) previous[one.commit] = one.entry.previous;
    std::set<CommitId> out;
    for (CommitId at = tip; !at.empty() && previous.contains(at) && out.insert(at).second;)
        at = previous.at(at);
    return out;
}

}  // namespace

Result<ControlHeld> GitLog::load_control(const View& view) const {
    ControlHeld held;
    const auto known = tips().others;
    const auto head = known.find(control_ref);
    if (head == known.end()) return held;
    held.head = head->second;
    std::set<CommitId> seen;
    const auto add = [&](const CommitId& tip) -> Result<void> {
        TRY_ASSIGN(auto chain, git::read_offer(view, tip, options_.space, [&](const CommitId& id) {
                       return seen.contains(id);
                   }));
        if (chain.refused)
            return failure(Code::Corrupt, "the control log is damaged", chain.refused->text(),
                           "run repair, then sync");
        for (auto& entry : chain.entries) {
            seen.insert(entry.commit);
            held.entries.push_back(std::move(entry));
        }
        held.pieces.insert(held.pieces.end(), std::make_move_iterator(chain.pieces.begin()),
                           std::make_move_iterator(chain.pieces.end()));
        return {};
    };
    TRY(add(held.head));
    TRY_ASSIGN(const auto refs, git::list_refs(path_));
    for (const auto& [ref, file] : refs) {
        if (!ref.starts_with(lost_refs) || file.target.empty() || seen.contains(file.target))
            continue;
        if (!add(file.target)) continue;  // evidence that is damaged stops nothing
        held.lost.push_back(file.target);
    }
    return held;
}

Result<ControlHeld> GitLog::entries() {
    const std::lock_guard lock(writing_);
    TRY_ASSIGN(const auto view, View::open(path_));
    return load_control(view);
}

Result<ControlOffer> GitLog::offered(Quarantine& quarantine, const CommitId& tip) {
    const std::lock_guard lock(writing_);
    TRY_ASSIGN(const auto view, View::open(quarantine.path(), path_));
    std::set<CommitId> known;
    if (const auto held = load_control(view))
        for (const auto& one : held->entries) known.insert(one.commit);
    return git::read_offer(view, tip, options_.space,
                           [&](const CommitId& id) { return known.contains(id); });
}

Result<void> GitLog::take(Quarantine& quarantine, const CommitId& tip, const CommitId& head) {
    ControlOffer offer;
    TRY_ASSIGN(offer, offered(quarantine, tip));
    if (offer.refused) return *offer.refused;
    return put(offer.pieces, head);
}

Result<void> GitLog::put(const std::vector<ControlPiece>& pieces, const CommitId& head) {
    const std::lock_guard lock(writing_);
    std::optional<Error> damaged;
    {
        TRY_ASSIGN(const auto view, View::open(path_));
        if (const auto held = load_control(view); !held) damaged = held.error();
    }
    for (const auto& piece : pieces) {
        TRY_ASSIGN(const auto blob, git::put_object(path_, piece.blob, GIT_OBJECT_BLOB, aside_));
        TRY(git::put_object(path_, git::control_tree(blob), GIT_OBJECT_TREE, aside_));
        TRY(git::put_object(path_, piece.commit_bytes, GIT_OBJECT_COMMIT, aside_));
    }
    if (damaged) {
        const std::lock_guard state(state_);
        healed_.push_back({control_ref,
                           "an entry was damaged or missing: " + damaged->text(),
                           {},
                           true,
                           "written again from the copy beside the log"});
    }
    TRY(move_control(head));
    if (pieces.empty()) return {};
    TRY_ASSIGN(const auto view, View::open(path_));
    TRY_ASSIGN(const auto held, load_control(view));
    const auto last = pieces.back().id();
    if (chain_of(held.entries, held.head).contains(last)) return {};
    return publish_other(std::string(lost_refs) + last, last);
}

Result<void> GitLog::move_control(const CommitId& head) {
    const auto known = tips().others;
    const auto before = known.find(control_ref);
    if (before != known.end() && before->second == head) return {};
    TRY_ASSIGN(const auto view, View::open(path_));
    TRY_ASSIGN(const auto chain,
               git::read_offer(view, head, options_.space, [](const CommitId&) { return false; }));
    if (chain.refused || chain.entries.empty())
        return failure(Code::Corrupt, "the control log does not read back",
                       chain.refused ? chain.refused->text() : "", "run repair");
    if (before != known.end() && !chain_of(chain.entries, head).contains(before->second))
        TRY(publish_other(std::string(lost_refs) + before->second, before->second));
    return publish_other(control_ref, head);
}

Result<void> GitLog::cut(const domain::Writer& writer, const CommitId& last) {
    if (!last.empty()) {
        SegmentHeader header;
        {
            TRY_ASSIGN(const auto view, View::open(path_));
            TRY_ASSIGN(header, git::read_header(view, last));
        }
        const VolumeName name{writer, header.volume};
        const auto stands = compare(name, last);
        if (stands != Ancestry::Same && stands != Ancestry::Behind)
            return failure(Code::NotFound, "segment " + last + " does not stand in " + name.ref());
        return switch_volume(name, last);
    }
    const std::lock_guard lock(writing_);
    const auto known = tips().volumes;
    std::vector<VolumeInfo> all;
    for (const auto& [name, info] : known)
        if (name.writer == writer) all.push_back(info);
    // The later ones first: a crash then leaves a shorter log.
    for (auto old = all.rbegin(); old != all.rend(); ++old) {
        TRY(keep_as_evidence(old->name, old->tip));
        TRY(withdraw(old->name));
    }
    return {};
}

Result<PublicKey> GitLog::signer(const CommitId& commit) {
    TRY_ASSIGN(const auto view, View::open(path_));
    TRY_ASSIGN(const auto segment, git::read_segment(view, commit));
    return signer_of(segment.text.signature);
}

Result<std::vector<SetAside>> GitLog::set_aside(std::string_view site) {
    const std::lock_guard lock(writing_);
    TRY_ASSIGN(const auto refs, git::list_refs(path_));
    TRY_ASSIGN(const auto view, View::open(path_));
    std::vector<SetAside> out;
    for (const auto& [ref, file] : refs) {
        if (!ref.starts_with(log_evidence) || file.target.empty()) continue;
        const auto place = std::string_view(ref).substr(log_evidence.size());
        const auto slash = place.rfind('/');
        if (slash == std::string_view::npos) continue;
        const auto name =
            VolumeName::parse("refs/heads/log/" + std::string(place.substr(0, slash)));
        if (!name || domain::site_of(name->writer) != site) continue;
        const auto header = git::read_header(view, file.target);
        if (header) out.push_back({*name, file.target, header->last});
    }
    return out;
}

}  // namespace dutybook::store
