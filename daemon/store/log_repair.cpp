// Repair, in the order in which each step can rely on the one before: objects, HEAD and config,
// own segments from the journal, refs, the list of tips. Damaged files are moved to damaged/.

#include "store/git_loose.h"
#include "store/git_refs.h"
#include "store/log_rescue.h"
#include "store/log_survey.h"

#include "base/file.h"

#include <algorithm>

namespace dutybook::store {

namespace {

Result<void> drop_pack(const fs::path& git_dir, const git::PackFiles& files,
                       const fs::path& aside) {
    if (files.index_there) TRY(git::move_aside(git_dir, files.index, aside));
    if (files.pack_there) TRY(git::move_aside(git_dir, files.pack, aside));
    return {};
}

// A sound pack gets its index again; of a damaged one everything that hashes right is kept.
Result<void> mend_pack(const fs::path& git_dir, const BadPack& bad, const fs::path& aside) {
    if (bad.pack_sound) {
        if (const auto made = git::index_again(bad.files.pack, aside / "index"); made) {
            if (bad.files.index_there) TRY(git::move_aside(git_dir, bad.files.index, aside));
            TRY_ASSIGN(const auto bytes, read_file(*made, 1u << 30));
            return write_file_atomically(bad.files.index, bytes);
        }
    }
    if (!bad.readable.empty()) {
        TRY_ASSIGN(const auto view, git::open_pack(bad.files.index));
        TRY(git::write_pack(view, bad.readable, git_dir));
    }
    return drop_pack(git_dir, bad.files, aside);
}

Result<void> mend_objects(const fs::path& git_dir, const Survey& survey, const fs::path& aside) {
    for (const auto& file : survey.bad_loose) TRY(git::move_aside(git_dir, file, aside));
    for (const auto& bad : survey.bad_packs) TRY(mend_pack(git_dir, bad, aside));
    return {};
}

Result<void> mend_ref(const fs::path& git_dir, const std::string& ref, const CommitId& tip,
                      const fs::path& aside) {
    const auto file = git_dir / ref;
    std::error_code ignored;
    const auto held = read_file(file, 1024);
    if (held && *held == tip + "\n") return {};
    if (fs::exists(file, ignored)) TRY(git::move_aside(git_dir, file, aside));
    return tip.empty() ? Result<void>{} : git::write_ref(git_dir, ref, tip);
}

// Commits between a tip and what is kept of its log: what they name is missing.
std::unordered_set<CommitId> commits_beyond(const Survey& survey, const CommitId& tip,
                                            const CommitId& kept) {
    const auto whole = survey_chain(survey, kept, nullptr).commits;
    const std::unordered_set<CommitId> known(whole.begin(), whole.end());
    std::unordered_set<CommitId> out;
    for (CommitId at = tip; !at.empty() && !known.contains(at);) {
        const auto link = git::read_link(*survey.view, at);
        if (!link) break;
        out.insert(at);
        at = link->parent;
    }
    return out;
}

// A commit that stays without what it names is taken for held, and would never be fetched again.
Result<void> drop_commits(const fs::path& git_dir, const std::unordered_set<CommitId>& commits,
                          const fs::path& aside) {
    std::error_code ignored;
    for (const auto& id : commits) {
        const auto file = git::loose_path(git_dir, id);
        if (fs::exists(file, ignored)) TRY(git::move_aside(git_dir, file, aside));
    }
    TRY_ASSIGN(const auto packs, git::list_packs(git_dir));
    for (const auto& files : packs) {
        TRY_ASSIGN(const auto view, git::open_pack(files.index));
        TRY_ASSIGN(auto kept, git::list_packed(view));
        const auto dropped =
            std::erase_if(kept, [&](const CommitId& id) { return commits.contains(id); });
        if (dropped == 0) continue;
        if (!kept.empty()) TRY(git::write_pack(view, kept, git_dir));
        TRY(drop_pack(git_dir, files, aside));
    }
    return {};
}

Damage missing_part(const VolumeName& name, const CommitId& wanted, const CommitId& kept) {
    return {name.ref(),
            "its log is " + (kept.empty() ? std::string("lost") : "whole only up to " + kept) +
                (wanted.empty() ? "" : " (it was at " + wanted + ")"),
            {name},
            false,
            "the next sync fetches the rest from a remote"};
}

}  // namespace

Result<std::vector<Damage>> GitLog::repair(bool dry_run, Journal& journal,
                                           const JournalLines& lines) {
    TRY_ASSIGN(auto found, verify(false, {}));
    if (dry_run || found.empty()) return found;
    std::unique_lock lock(writing_);
    {
        TRY_ASSIGN(const auto survey, survey_objects(path_, {}));
        pool_.renew();
        TRY(mend_objects(path_, survey, aside_));
        pool_.renew();
    }
    TRY(git::prepare_repository(path_, git::log_config, aside_));

    TRY_ASSIGN(auto survey, survey_objects(path_, {}));
    TRY_ASSIGN(const auto own, own_tips(journal));
    for (const auto& row : own.rows)
        if (!survey_segment(survey, row.commit)) reseal(row, lines);
    TRY_ASSIGN(survey, survey_objects(path_, {}));

    auto expected = tips();
    for (const auto& [name, tip] : own.tips) {
        // The log may be one seal ahead of the journal, which a crash kept from noting it.
        const auto held = survey_chain(survey, expected.volumes[name].tip, nullptr).commits;
        if (std::ranges::find(held, tip) == held.end()) expected.volumes[name].tip = tip;
    }
    {
        const std::lock_guard state(state_);
        for (const auto& [ref, tip] : broken_)
            if (const auto name = VolumeName::parse(ref)) expected.volumes.try_emplace(*name);
    }
    std::vector<Damage> missing;
    git::Tips next;
    const auto rescued = rescue_tips(survey, expected, options_.space);
    std::unordered_set<CommitId> beyond;
    for (const auto& [name, tip] : rescued)
        if (tip != expected.volumes[name].tip)
            beyond.merge(commits_beyond(survey, expected.volumes[name].tip, tip));
    if (!beyond.empty()) {
        pool_.renew();
        TRY(drop_commits(path_, beyond, aside_));
        pool_.renew();
        TRY_ASSIGN(survey, survey_objects(path_, {}));
    }
    for (const auto& [name, tip] : rescued) {
        const auto wanted = expected.volumes[name].tip;
        TRY(mend_ref(path_, name.ref(), tip, aside_));
        if (tip != wanted || tip.empty()) missing.push_back(missing_part(name, wanted, tip));
        if (tip.empty()) continue;
        TRY_ASSIGN(next.volumes[name], describe(*survey.view, name, tip));
    }
    for (const auto& [ref, tip] : expected.others) {
        const bool evidence = !git::evidence_tip(ref).empty();
        const bool held = evidence || survey.readable(tip);
        TRY(mend_ref(path_, ref, held ? tip : CommitId{}, aside_));
        // The README is made again below.
        if (const auto whole = survey_other(survey, tip);
            !whole && (evidence || ref == control_ref))
            missing.push_back(
                {ref,
                 whole.error().text(),
                 {},
                 false,
                 evidence ? evidence_lost : "the next sync fetches the rest from a remote"});
        if (held) next.others[ref] = tip;
    }
    TRY(mend_stray_refs(next));
    TRY(git::write_tips(path_, next));
    {
        const std::lock_guard state(state_);
        tips_ = std::move(next);
        broken_.clear();
        healed_.clear();
    }
    for (auto& damage : found) {
        damage.healed = true;
        if (damage.how.empty() || damage.how == "run repair")
            damage.how = "what was damaged is kept in " + aside_.lexically_relative(path_).string();
    }
    found.insert(found.end(), missing.begin(), missing.end());
    lock.unlock();
    // No segment holds the constant README; it is made again.
    if (expected.others.contains("refs/heads/dutybook")) TRY(readme_commit());
    return found;
}

// Own segments that cannot be read are made again; the commit id proves that they are the same.
void GitLog::reseal(const SealRow& row, const JournalLines& lines) {
    const auto held = lines(row);
    if (!held) return;
    const auto header = introduced(row.header);
    const Segment segment{header, row.frontier, row.next_heard, *held};
    auto blob = encode_segment(segment, *options_.codec);
    if (!blob) return;
    for (const auto& parent : {row.header.previous, CommitId{}}) {
        const auto objects = compose(header, *blob, parent);
        if (!objects || objects->commit != row.commit) continue;
        if (write_objects(*objects)) return;
    }
}

// Ref files that no log explains and that hold no commit: git refuses to work beside them.
Result<void> GitLog::mend_stray_refs(const git::Tips& known) {
    const auto refs = known.refs();
    TRY_ASSIGN(const auto files, git::list_refs(path_));
    for (const auto& [ref, file] : files)
        if (file.target.empty() && !refs.contains(ref))
            TRY(git::move_aside(path_, file.file, aside_));
    return {};
}

}  // namespace dutybook::store
