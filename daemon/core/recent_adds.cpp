#include "core/recent_adds.h"

namespace dutybook::core {

std::string RecentAdds::note(const domain::Operation& create, Millis now) {
    std::string text = create.kind + '\n' + create.by + '\n';
    for (const auto& change : create.changes) {
        text += change.field;
        text += '\n';
        text += change.value;
        text += '\n';
    }
    while (!adds_.empty() && (adds_.size() >= most || adds_.front().at + window < now)) {
        const auto found = found_.find(adds_.front().what);
        if (found != found_.end() && found->second == &adds_.front()) found_.erase(found);
        adds_.pop_front();
    }
    const Hash what = blake2b("dutybook add", text);
    const auto before = found_.find(what);
    std::string same = before == found_.end() ? std::string() : before->second->id;
    adds_.push_back({what, create.record, now});
    found_[what] = &adds_.back();
    return same;
}

}  // namespace dutybook::core
