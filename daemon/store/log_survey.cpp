#include "store/log_survey.h"

#include "store/git_loose.h"
#include "store/git_refs.h"

#include "base/crypto.h"
#include "base/file.h"

#include <git2/odb_backend.h>
#include <git2/sys/odb_backend.h>

#include <algorithm>

namespace dutybook::store {

using git::View;

namespace {

constexpr int objects_share = 80;  // percent of the progress

std::string below(const fs::path& git_dir, const fs::path& file) {
    return file.lexically_relative(git_dir).generic_string();
}

// Priorities: of two copies of an object libgit2 reads the one in the backend of higher priority
// and does not try the next if that one is damaged.
class ViewBuilder {
public:
    Result<void> start() {
        git_odb* raw = nullptr;
        if (const int status = git_odb_new(&raw); status < 0)
            return git::git_failure(status, "cannot open objects");
        odb_.reset(raw);
        return {};
    }
    void add_pack(const fs::path& index, int priority) {
        git_odb_backend* backend = nullptr;
        if (git_odb_backend_one_pack(&backend, index.c_str()) == 0)
            git_odb_add_backend(odb_.get(), backend, priority);
    }
    void add_loose(const fs::path& git_dir, int priority) {
        git_odb_add_backend(odb_.get(), git::loose_backend(git_dir), priority);
    }
    View take() { return View(std::move(odb_)); }

private:
    git::Handle<git_odb> odb_;
};

struct PackReading {
    std::vector<CommitId> good, bad;
};

Result<PackReading> read_pack(const fs::path& index) {
    PackReading out;
    TRY_ASSIGN(const auto view, git::open_pack(index));
    TRY_ASSIGN(const auto objects, git::list_packed(view));
    for (const auto& id : objects) (git::check_object(view, id) ? out.good : out.bad).push_back(id);
    return out;
}

void survey_pack(const fs::path& git_dir, const git::PackFiles& files, Survey& survey,
                 ViewBuilder& views) {
    const auto pack_name = below(git_dir, files.pack);
    const auto index_name = below(git_dir, files.index);
    if (!files.pack_there) {
        survey.damages.push_back({pack_name, "the pack of an index is missing", {}, false, {}});
        survey.bad_packs.push_back({files, false, {}});
        return;
    }
    const auto pack = git::check_trailer(files.pack);
    if (!pack) survey.damages.push_back({pack_name, pack.error().text(), {}, false, {}});
    Result<void> index;
    if (!files.index_there)
        index = failure(Code::NotFound, "the pack's index is missing");
    else if (pack)
        index = git::check_index_of(files);
    else
        index = git::check_trailer(files.index);
    if (!index) survey.damages.push_back({index_name, index.error().text(), {}, false, {}});

    const auto reading = files.index_there ? read_pack(files.index) : PackReading{};
    const auto found = reading ? *reading : PackReading{};
    survey.good.insert(found.good.begin(), found.good.end());
    if (pack && index && reading && found.bad.empty()) {
        views.add_pack(files.index, 3);
        return;
    }
    for (const auto& id : found.bad)
        survey.damages.push_back({"object " + id, "is damaged in " + pack_name, {}, false, {}});
    if (files.index_there) views.add_pack(files.index, 1);
    survey.bad_packs.push_back({files, static_cast<bool>(pack), found.good});
}

Result<void> survey_loose(const fs::path& git_dir, Survey& survey) {
    TRY_ASSIGN(const auto view, git::open_loose(git_dir));
    TRY_ASSIGN(const auto objects, git::list_loose(git_dir));
    for (const auto& id : objects) {
        const auto checked = git::check_object(view, id);
        if (checked) {
            survey.good.insert(id);
            continue;
        }
        const auto file = git::loose_path(git_dir, id);
        survey.bad_loose.push_back(file);
        survey.damages.push_back({below(git_dir, file), checked.error().text(), {}, false, {}});
    }
    return {};
}

void survey_constant(const fs::path& git_dir, const char* name, std::string_view expected,
                     Survey& survey) {
    const auto held = read_file(git_dir / name);
    if (held && *held == expected) return;
    survey.damages.push_back(
        {name, held ? "is not what Dutybook wrote" : held.error().text(), {}, false, {}});
}

}  // namespace

Result<Survey> survey_objects(const fs::path& git_dir, const Progress& progress) {
    Survey survey;
    ViewBuilder views;
    TRY(views.start());
    TRY_ASSIGN(const auto packs, git::list_packs(git_dir));
    std::uint64_t total = 1, done = 0;
    for (const auto& files : packs) total += files.bytes;
    for (const auto& files : packs) {
        survey_pack(git_dir, files, survey, views);
        done += files.bytes;
        if (progress) progress(static_cast<int>(done * objects_share / total));
    }
    TRY(survey_loose(git_dir, survey));
    views.add_loose(git_dir, 2);
    survey.view = views.take();
    if (progress) progress(objects_share);
    return survey;
}

Result<void> survey_refs(const fs::path& git_dir, const git::Tips& expected, Survey& survey) {
    survey_constant(git_dir, "HEAD", git::head_text, survey);
    survey_constant(git_dir, "config", git::log_config, survey);
    const auto known = git::read_tips(git_dir);
    if (!known)
        survey.damages.push_back({"dutybook-tips", known.error().text(), {}, false, {}});
    else if (known->refs() != expected.refs())
        survey.damages.push_back(
            {"dutybook-tips", "does not list what the log holds", {}, false, {}});
    TRY_ASSIGN(const auto files, git::list_refs(git_dir));
    for (const auto& [ref, tip] : expected.refs()) {
        const auto file = files.find(ref);
        if (file != files.end() && file->second.target == tip) continue;
        std::string what = "the ref is missing";
        if (file != files.end())
            what = file->second.target.empty() ? "the ref holds no commit id"
                                               : "the ref names another commit than was written";
        survey.damages.push_back({ref, what, {}, false, {}});
    }
    for (const auto& [ref, file] : files)
        if (file.target.empty() && !expected.refs().contains(ref))
            survey.damages.push_back({ref, "the ref holds no commit id", {}, false, {}});
    return {};
}

namespace {

Result<void> check_segment(const Survey& survey, const CommitId& commit,
                           const git::CommitLink& link, const SegmentCodec* codec) {
    if (codec != nullptr) {
        TRY_ASSIGN(const auto objects, git::read_segment(*survey.view, commit));
        const auto segment = decode_segment(objects.blob_bytes, *codec);
        if (!segment && segment.error().code != Code::NewerFormat) return segment.error();
        return {};
    }
    TRY_ASSIGN(const auto tree, survey.view->read(link.text.tree, GIT_OBJECT_TREE, 4096));
    TRY_ASSIGN(const auto blob, git::blob_of_tree(tree));
    if (!survey.readable(blob))
        return failure(Code::Corrupt,
                       "object " + blob + " of commit " + commit + " is missing or damaged");
    return {};
}

constexpr std::size_t object_id_bytes = 20;

Result<void> check_tree_of_one(const Survey& survey, const git::CommitLink& link) {
    TRY_ASSIGN(const auto tree, survey.view->read(link.text.tree, GIT_OBJECT_TREE, 4096));
    if (tree.size() < object_id_bytes) return malformed("tree " + link.text.tree + " is empty");
    const auto* id = reinterpret_cast<const std::uint8_t*>(tree.data() + tree.size());
    const auto blob = hex({id - object_id_bytes, object_id_bytes});
    if (survey.readable(blob)) return {};
    return failure(Code::Corrupt, "object " + blob + " is missing or damaged");
}

}  // namespace

Result<void> survey_other(const Survey& survey, const CommitId& tip) {
    for (CommitId at = tip; !at.empty();) {
        TRY_ASSIGN(const auto link, git::read_link(*survey.view, at));
        TRY(check_tree_of_one(survey, link));
        at = link.parent;
    }
    return {};
}

ChainState survey_chain(const Survey& survey, const CommitId& tip, const SegmentCodec* codec) {
    ChainState out;
    for (CommitId at = tip; !at.empty();) {
        const auto link = git::read_link(*survey.view, at);
        if (!link) {
            if (!out.trouble) out.trouble = link.error();
            break;
        }
        if (const auto checked = check_segment(survey, at, *link, codec); !checked && !out.trouble)
            out.trouble = checked.error();
        out.commits.push_back(at);
        at = link->parent;
    }
    std::ranges::reverse(out.commits);
    return out;
}

}  // namespace dutybook::store
