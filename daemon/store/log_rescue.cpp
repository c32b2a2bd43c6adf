#include "store/log_rescue.h"

#include <set>

namespace dutybook::store {
namespace {

// Children of each commit of one volume; "" has the roots.
using Children = std::map<CommitId, std::set<CommitId>>;

void add_commit(const Survey& survey, const CommitId& id, const std::string& space,
                std::map<VolumeName, Children>& found) {
    const auto info = survey.view->info(id);
    if (!info || info->type != GIT_OBJECT_COMMIT) return;
    const auto segment = git::read_segment(*survey.view, id);
    if (!segment) return;
    const auto header = decode_header(segment->blob_bytes);
    if (!header || header->space != space) return;
    found[{header->writer, header->volume}][segment->parent].insert(id);
}

CommitId highest(const Survey& survey, const Children& children, const CommitId& expected) {
    const auto wanted = survey_chain(survey, expected, nullptr).commits;
    const std::set<CommitId> preferred(wanted.begin(), wanted.end());
    CommitId at;
    for (;;) {
        const auto next = children.find(at);
        if (next == children.end() || (at == expected && !at.empty())) return at;
        CommitId chosen = *next->second.begin();
        for (const auto& child : next->second)
            if (preferred.contains(child)) chosen = child;
        at = chosen;
    }
}

}  // namespace

bool survey_segment(const Survey& survey, const CommitId& commit) {
    return static_cast<bool>(git::read_segment(*survey.view, commit));
}

Result<OwnSeals> own_tips(Journal& journal) {
    OwnSeals out;
    for (const auto& writer : journal.writers()) {
        std::vector<SealRow> rows;
        TRY_ASSIGN(auto row, journal.last_seal(writer));
        while (row && !row->commit.empty()) {
            out.tips.try_emplace({writer, row->header.volume}, row->commit);
            rows.push_back(*row);
            if (row->header.previous.empty()) break;
            TRY_ASSIGN(row, journal.find_seal(row->header.previous));
        }
        out.rows.insert(out.rows.end(), rows.rbegin(), rows.rend());
    }
    return out;
}

std::map<VolumeName, CommitId> rescue_tips(const Survey& survey, const git::Tips& expected,
                                           const std::string& space) {
    std::map<VolumeName, CommitId> out;
    std::set<VolumeName> broken;
    for (const auto& [name, info] : expected.volumes) {
        const auto chain = survey_chain(survey, info.tip, nullptr);
        if (info.tip.empty() || chain.trouble)
            broken.insert(name);
        else
            out[name] = info.tip;
    }
    if (broken.empty()) return out;
    std::map<VolumeName, Children> found;
    for (const auto& id : survey.good) add_commit(survey, id, space, found);
    for (const auto& name : broken)
        out[name] = highest(survey, found[name], expected.volumes.at(name).tip);
    return out;
}

}  // namespace dutybook::store
