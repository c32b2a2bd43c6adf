#include "core/incomplete.h"

#include "base/log.h"

#include <algorithm>

namespace dutybook::core {

namespace {

constexpr const char* key = "incomplete";

}  // namespace

Result<void> Incomplete::load() {
    TRY_ASSIGN(const std::string text, journal_.meta(key));
    for (std::size_t from = 0; from < text.size();) {
        const std::size_t end = std::min(text.find('\n', from), text.size());
        records_.insert(text.substr(from, end - from));
        from = end + 1;
    }
    return {};
}

void Incomplete::save() {
    std::string text;
    for (const std::string& record : records_) text += record + "\n";
    const auto saved = journal_.set_meta(key, text);
    if (!saved) {
        log_warning("core", "records to be completed later are not remembered",
                    {{"error", saved.error().text()}});
    }
}

void Incomplete::add(const std::set<std::string>& records) {
    if (records.empty()) return;
    again_ = true;
    for (const std::string& record : records) {
        if (records_.size() < most_kept) records_.insert(record);
    }
    save();
}

std::vector<std::string> Incomplete::take(std::size_t most) {
    std::vector<std::string> taken;
    if (records_.empty() || clock_.monotonic() < next_) return taken;
    while (!records_.empty() && taken.size() < most) {
        taken.push_back(std::move(records_.extract(records_.begin()).value()));
    }
    again_ = false;
    return taken;
}

void Incomplete::tried() {
    if (again_) {
        next_ = clock_.monotonic() + wait_;
        wait_ = std::min(wait_ * 2, longest_wait);
    } else {
        wait_ = first_wait;
        save();
    }
}

}  // namespace dutybook::core
