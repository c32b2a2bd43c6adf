#include "sync/plan.h"

#include <algorithm>

namespace dutybook::sync {
namespace {

using store::Ancestry;
using store::CommitId;
using store::VolumeName;

// Open volumes that are new to us are below a closed volume's size, but how far is unknown.
constexpr std::size_t unknown_together = 4;

// All zeros is how git lists an empty ref file.
bool commit_id(const std::string& text) {
    return text.size() == 40 && text.find_first_not_of("0123456789abcdef") == std::string::npos &&
           text.find_first_not_of('0') != std::string::npos;
}

// Volumes of a list or of ours, by name; what is not ours to name falls away here.
std::map<VolumeName, CommitId> volumes_of(const std::map<std::string, CommitId>& refs) {
    std::map<VolumeName, CommitId> volumes;
    for (const auto& [ref, tip] : refs) {
        const auto volume = VolumeName::parse(ref);
        if (volume && commit_id(tip)) volumes[*volume] = tip;
    }
    return volumes;
}

CommitId find(const std::map<VolumeName, CommitId>& volumes, const VolumeName& name) {
    const auto at = volumes.find(name);
    return at == volumes.end() ? CommitId{} : at->second;
}

// Whether a later volume of the same writer exists.
bool closed(const std::map<VolumeName, CommitId>& volumes, const VolumeName& name) {
    const auto next = volumes.upper_bound(name);
    return next != volumes.end() && next->first.writer == name.writer;
}

Do decide(const Seen& seen) {
    if (seen.theirs.empty()) return Do::Push;
    switch (seen.ancestry) {
        case Ancestry::Same:
            return Do::Nothing;
        case Ancestry::Behind:
            return Do::Push;
        case Ancestry::Ahead:
        case Ancestry::Unknown:
            return seen.own ? Do::NewWriter : Do::Fetch;
        case Ancestry::Forked:
            return seen.own ? Do::NewWriter : Do::Evidence;
    }
    return Do::Nothing;
}

Ancestry ancestry_of(const Seen& seen, const Compare& compare) {
    if (seen.theirs.empty() || seen.ours.empty()) return Ancestry::Unknown;
    return seen.theirs == seen.ours ? Ancestry::Same : compare(seen.volume, seen.theirs);
}

// A remembered tip that is missing now, or of which an ancestor is listed.
bool went_back(const Seen& seen, const CommitId& remembered, const Older& older) {
    if (remembered.empty() || seen.theirs == remembered) return false;
    if (seen.theirs.empty()) return true;
    if (seen.ancestry != Ancestry::Behind) return false;
    return remembered == seen.ours || (older && older(seen.volume, seen.theirs, remembered));
}

template <class Item>
void in_groups(const std::vector<Item>& items, std::size_t size,
               std::vector<std::vector<Item>>& groups) {
    for (std::size_t at = 0; at < items.size(); at += size) {
        const auto end = std::min(at + size, items.size());
        groups.emplace_back(items.begin() + static_cast<std::ptrdiff_t>(at),
                            items.begin() + static_cast<std::ptrdiff_t>(end));
    }
}

void order_fetches(Plan& plan, const std::map<VolumeName, CommitId>& theirs) {
    std::vector<Wanted> tips, unknown, closed_ones;
    std::set<domain::Writer> waits;  // writers whose closed volumes must come first
    std::vector<Wanted> late;
    for (const Decision& decision : plan.decisions) {
        const Seen& seen = decision.seen;
        if (decision.what != Do::Fetch && decision.what != Do::NewWriter) continue;
        const Wanted wanted{seen.volume.ref(), seen.theirs, seen.ours};
        if (closed(theirs, seen.volume)) {
            waits.insert(seen.volume.writer);
            closed_ones.push_back(wanted);
        } else if (waits.contains(seen.volume.writer)) {
            late.push_back(wanted);
        } else {
            (seen.ours.empty() ? unknown : tips).push_back(wanted);
        }
    }
    in_groups(tips, std::max<std::size_t>(tips.size(), 1), plan.fetches);
    in_groups(unknown, unknown_together, plan.fetches);
    in_groups(closed_ones, 1, plan.fetches);
    in_groups(late, unknown_together, plan.fetches);
}

bool own_site(const VolumeName& volume, const Holdings& holdings) {
    return domain::site_of(volume.writer) == holdings.own_site;
}

constexpr std::string_view forks = "refs/heads/fork/", logs = "refs/heads/log/";

}  // namespace

std::string fork_ref(const VolumeName& volume, const CommitId& tip) {
    return std::string(forks) + volume.ref().substr(logs.size()) + "/" + tip;
}

std::optional<VolumeName> volume_of_fork(std::string_view ref) {
    const auto slash = ref.rfind('/');
    if (!ref.starts_with(forks) || slash < forks.size()) return std::nullopt;
    if (!commit_id(std::string(ref.substr(slash + 1)))) return std::nullopt;
    ref = ref.substr(0, slash);
    return VolumeName::parse(std::string(logs) + std::string(ref.substr(forks.size())));
}

Plan plan_fetch(const Transfer::Refs& listed, const Holdings& holdings, const Compare& compare,
                const Older& older) {
    const auto theirs = volumes_of(listed);
    const auto ours = volumes_of(holdings.ours);
    const auto remembered = volumes_of(holdings.remembered);
    std::set<VolumeName> names;
    for (const auto* side : {&theirs, &ours, &remembered})
        for (const auto& [name, tip] : *side) names.insert(name);

    Plan plan;
    for (const VolumeName& name : names) {
        Seen seen{name, find(theirs, name), find(ours, name), Ancestry::Unknown,
                  name.writer == holdings.current_writer};
        seen.ancestry = ancestry_of(seen, compare);
        const bool back = went_back(seen, find(remembered, name), older);
        if (back) plan.gone_back.push_back(name.ref());
        if (seen.theirs.empty() && seen.ours.empty()) continue;
        plan.decisions.push_back({seen, decide(seen), back});
    }
    order_fetches(plan, theirs);
    return plan;
}

Pushes plan_push(const Transfer::Refs& listed, const Holdings& holdings, const Compare& compare,
                 const CommitId& readme) {
    const auto theirs = volumes_of(listed);
    const auto ours = volumes_of(holdings.ours);
    Pushes pushes;
    if (!listed.contains(readme_ref)) pushes.constant.push_back({readme_ref, readme, {}});

    std::vector<Offered> tips, open, current;  // others' volumes in part, whole but open; our own
    for (const auto& [name, tip] : ours) {
        const Offered offered{name.ref(), tip, find(theirs, name)};
        Seen seen{name, offered.expected, tip, Ancestry::Unknown, false};
        seen.ancestry = ancestry_of(seen, compare);
        if (decide(seen) != Do::Push) continue;
        if (name.writer == holdings.current_writer)
            current.push_back(offered);
        else if (own_site(name, holdings))
            pushes.own.push_back({offered});
        else if (!offered.expected.empty())
            tips.push_back(offered);
        else if (closed(ours, name))
            pushes.relay.push_back({offered});
        else
            open.push_back(offered);
    }
    if (!tips.empty()) pushes.relay.push_back(tips);
    in_groups(open, unknown_together, pushes.relay);
    for (const Offered& offered : current) pushes.own.push_back({offered});
    return pushes;
}

std::vector<std::vector<Wanted>> split(const std::vector<Wanted>& failed) {
    if (failed.size() < 2) return {failed};
    const auto middle = failed.begin() + static_cast<std::ptrdiff_t>(failed.size() / 2);
    return {{failed.begin(), middle}, {middle, failed.end()}};
}

}  // namespace dutybook::sync
