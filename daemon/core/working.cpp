#include "core/working.h"

#include <algorithm>

namespace dutybook::core {

Working::Working(Rows rows, const domain::Frontier& frontier)
    : rows_(std::move(rows)), frontier_(frontier) {
    fold_again();
}

std::vector<domain::Known> Working::known() const {
    std::vector<domain::Known> out;
    out.reserve(rows_.size() + added_.size() + 1);
    for (const auto& row : rows_) out.push_back({&row.operation, &row.frontier});
    for (const auto& operation : added_) out.push_back({&operation, &frontier_});
    return out;
}

void Working::fold_again() {
    if (rows_.empty() && added_.empty()) return;  // nobody named it yet
    state_ = domain::fold(known());
    version_ = domain::version_of(state_);
}

domain::RecordState Working::with(const domain::Operation& operation) const {
    auto all = known();
    all.push_back({&operation, &frontier_});
    return domain::fold(all);
}

void Working::add(domain::Operation operation, store::StoredRecord record) {
    added_.push_back(std::move(operation));
    state_ = std::move(record.state);
    version_ = std::move(record.version);
}

void Working::add(domain::Operation operation) {
    added_.push_back(std::move(operation));
    fold_again();
}

bool Working::written_as_register(std::string_view field) const {
    const auto sets = [field](const domain::Operation& operation) {
        return std::any_of(operation.changes.begin(), operation.changes.end(),
                           [field](const domain::FieldChange& change) {
                               return change.field == field && change.act == domain::Act::Set;
                           });
    };
    return std::any_of(rows_.begin(), rows_.end(),
                       [&](const auto& row) { return sets(row.operation); }) ||
           std::any_of(added_.begin(), added_.end(), sets);
}

const domain::Conflict* Working::conflict(std::string_view field) const {
    for (const auto& conflict : state_.conflicts) {
        if (conflict.field == field) return &conflict;
    }
    return nullptr;
}

std::optional<domain::RecordState> Working::at_version(std::string_view version) const {
    if (version == version_) return state_;
    const auto all = known();
    const std::size_t least = all.size() > prefixes ? all.size() - prefixes : 0;
    for (std::size_t count = all.size(); count > least; --count) {
        auto state = domain::fold(std::span(all).first(count));
        if (domain::version_of(state) == version) return state;
    }
    return std::nullopt;
}

}  // namespace dutybook::core
