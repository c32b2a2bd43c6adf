#include "store/log_git.h"

#include "store/git_pack.h"
#include "store/git_refs.h"

namespace dutybook::store {

using git::View;

Result<std::unique_ptr<Log>> open_git_log(const GitLogOptions& options) {
    if (options.codec == nullptr || options.space.empty() || options.path.empty())
        return failure(Code::Internal, "a log needs a path, a space and a codec");
    auto log = std::make_unique<GitLog>(options);
    TRY(log->open());
    return std::unique_ptr<Log>(std::move(log));
}

GitLog::GitLog(const GitLogOptions& options)
    : options_(options),
      path_(git::fs::absolute(options.path)),
      aside_(git::aside_folder(path_)),
      pool_(path_),
      quarantine_in_use_(std::make_shared<std::atomic_flag>()) {}

Result<void> GitLog::open() {
    const std::scoped_lock lock(writing_, state_);
    std::error_code ignored;
    const bool fresh = !git::fs::exists(path_, ignored);
    TRY_ASSIGN(healed_, git::prepare_repository(path_, git::log_config, aside_));
    if (fresh) TRY(git::write_tips(path_, {}));
    TRY(git::tidy_refs(path_, aside_));
    TRY(git::finish_removing(path_));
    TRY(git::tidy_packs(path_));
    auto known = git::read_tips(path_);
    if (!known)
        healed_.push_back(
            {"dutybook-tips", known.error().what, {}, true, "written again from the refs"});
    const bool lost = !git::fs::exists(path_ / "dutybook-tips", ignored);
    TRY(reconcile(known ? *known : git::Tips{}));
    if (!lost) return {};
    // A log gets its list when it is made, so one without had it taken away.
    healed_.push_back({"dutybook-tips", "is missing", {}, true, "written again from the refs"});
    return git::write_tips(path_, tips_);
}

namespace {

bool designed(const std::string& ref) {
    return VolumeName::parse(ref) || ref == "refs/heads/control" || ref == "refs/heads/dutybook" ||
           !git::evidence_tip(ref).empty();
}

bool holds(const View& view, const CommitId& commit) {
    return static_cast<bool>(git::read_link(view, commit));
}

bool descends(const View& view, const CommitId& younger, const CommitId& older) {
    return static_cast<bool>(git::walk(view, younger, older));
}

}  // namespace

Result<void> GitLog::reconcile(const git::Tips& known) {
    TRY_ASSIGN(const auto view, View::open(path_));
    TRY_ASSIGN(const auto files, git::list_refs(path_));
    auto names = known.refs();
    for (const auto& [ref, file] : files) names.try_emplace(ref);
    for (const auto& [ref, unused] : names) {
        if (!designed(ref)) continue;
        const auto file = files.find(ref);
        const bool there = file != files.end();
        TRY(reconcile_ref(view, ref, there ? file->second.target : CommitId{}, there, known));
    }
    if (tips_.refs() != known.refs()) TRY(git::write_tips(path_, tips_));
    return {};
}

Result<void> GitLog::reconcile_ref(const View& view, const std::string& ref,
                                   const CommitId& on_disk, bool file_there,
                                   const git::Tips& known) {
    const auto evidence = git::evidence_tip(ref);
    const auto expected = evidence.empty() ? known.refs()[ref] : evidence;
    if (!on_disk.empty() && on_disk == expected) {
        remember(view, ref, on_disk, known);
        return {};
    }
    // The tips are written after the ref: a sound ref that they do not know of is newer.
    const bool behind = !on_disk.empty() && !expected.empty() && descends(view, expected, on_disk);
    if (evidence.empty() && !on_disk.empty() && holds(view, on_disk) && !behind) {
        remember(view, ref, on_disk, known);
        return {};
    }
    Damage damage{ref,
                  file_there ? "the ref holds no commit of this log" : "the ref is missing",
                  {},
                  false,
                  "repair makes it again from what is known"};
    if (behind) damage.what = "the ref went back to an earlier commit";
    if (const auto name = VolumeName::parse(ref)) damage.volumes.push_back(*name);
    if (!expected.empty() && holds(view, expected)) {
        if (file_there && !behind) TRY(git::move_aside(path_, path_ / ref, aside_));
        TRY(git::write_ref(path_, ref, expected));
        damage.healed = true;
        damage.how = "made again from the list of known tips";
        remember(view, ref, expected, known);
    } else if (!evidence.empty()) {
        // Whoever lets go of what is lost for good deletes the file: it is not asked for again.
        damage.how = evidence_lost;
        if (file_there) remember(view, ref, evidence, known);
    } else if (const auto tip = on_disk.empty() ? expected : on_disk; !tip.empty()) {
        remember(view, ref, tip, known);
    } else if (file_there) {
        broken_[ref] = {};
    }
    healed_.push_back(std::move(damage));
    return {};
}

void GitLog::remember(const View& view, const std::string& ref, const CommitId& tip,
                      const git::Tips& known) {
    const auto name = VolumeName::parse(ref);
    if (!name) {
        tips_.others[ref] = tip;
        return;
    }
    if (const auto held = known.volumes.find(*name);
        held != known.volumes.end() && held->second.tip == tip) {
        tips_.volumes[*name] = held->second;
        return;
    }
    if (auto info = describe(view, *name, tip)) {
        tips_.volumes[*name] = *info;
    } else {
        broken_[ref] = tip;
        healed_.push_back(
            {ref, "its chain cannot be read: " + info.error().text(), {*name}, false, "repair"});
    }
}

// First and previous stand in the root's header, last in the tip's; a header of a newer format says
// neither, so the last one that can be read counts.
Result<VolumeInfo> GitLog::describe(const View& view, const VolumeName& name,
                                    const CommitId& tip) const {
    VolumeInfo info;
    info.name = name;
    info.tip = tip;
    TRY_ASSIGN(const auto commits, git::walk(view, tip, {}));
    for (const auto& commit : commits) {
        TRY_ASSIGN(const auto link, git::read_link(view, commit));
        TRY_ASSIGN(const auto size, git::blob_size(view, link.text.tree));
        info.bytes += size;
    }
    const auto first = git::read_header(view, commits.front());
    if (first) {
        info.first = first->first;
        info.last = first->first - 1;
        info.previous = first->previous;
    } else if (first.error().code != Code::NewerFormat) {
        return first.error();
    }
    for (auto at = commits.rbegin(); at != commits.rend(); ++at) {
        const auto header = git::read_header(view, *at);
        if (header) {
            info.last = header->last;
            break;
        }
        if (header.error().code != Code::NewerFormat) return header.error();
    }
    return info;
}

Result<void> GitLog::check_whole(const VolumeName& name) const {
    const std::lock_guard lock(state_);
    if (!broken_.contains(name.ref())) return {};
    return failure(Code::Corrupt, name.ref() + " is damaged", {}, "run repair");
}

std::optional<VolumeInfo> GitLog::find(const VolumeName& name) const {
    const std::lock_guard lock(state_);
    const auto at = tips_.volumes.find(name);
    if (at == tips_.volumes.end()) return std::nullopt;
    return at->second;
}

git::Tips GitLog::tips() const {
    const std::lock_guard lock(state_);
    return tips_;
}

}  // namespace dutybook::store
