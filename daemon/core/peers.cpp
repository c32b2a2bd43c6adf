#include "core/peers.h"

#include <algorithm>

namespace dutybook::core {

void Peers::refresh() {
    const auto volumes = parts_.log->volumes();
    if (!volumes) return;
    std::map<domain::Writer, const store::VolumeInfo*> latest;
    for (const auto& volume : *volumes) {
        if (domain::site_of(volume.name.writer) == facts_.site) continue;
        const auto*& known = latest[volume.name.writer];
        if (!known || known->name.number < volume.name.number) known = &volume;
    }
    for (const auto& [writer, volume] : latest) {
        const auto known = heard_.find(writer);
        if (known != heard_.end() && known->second.tip == volume->tip) continue;
        auto segment = parts_.log->read(volume->tip);
        if (!segment) continue;
        heard_[writer] = {volume->tip, std::move(segment->frontier), segment->header.time,
                          segment->next_heard};
    }
}

std::vector<SpaceEngine::Peer> Peers::list() const {
    const auto writer = parts_.journal->current_writer();
    std::map<std::string, SpaceEngine::Peer> by_site;
    for (const auto& [theirs, heard] : heard_) {
        auto& peer = by_site[std::string(domain::site_of(theirs))];
        peer.site = domain::site_of(theirs);
        peer.holds_of_ours = std::max(peer.holds_of_ours, heard.frontier.seq_of(writer));
        if (heard.time < peer.last_heard) continue;
        peer.last_heard = heard.time;
        peer.next_heard = heard.next;
    }
    std::vector<SpaceEngine::Peer> out;
    out.reserve(by_site.size());
    for (auto& [site, peer] : by_site) out.push_back(std::move(peer));
    return out;
}

std::uint64_t Peers::held_of(const domain::Writer& own) const {
    std::uint64_t held = 0;
    for (const auto& [theirs, heard] : heard_) held = std::max(held, heard.frontier.seq_of(own));
    return held;
}

}  // namespace dutybook::core
