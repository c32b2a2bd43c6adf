#pragma once
// One record while a group of writes works on it: its operations in the order of their arrival,
// those of this group last, and the state that the fold makes of them.

#include "domain/fold.h"
#include "domain/history.h"
#include "store/index.h"

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dutybook::core {

class Working {
public:
    using Rows = std::vector<store::IndexReader::OperationRow>;

    // `frontier` is that of the group's own operations; it must outlive this.
    Working(Rows rows, const domain::Frontier& frontier);

    bool born() const { return state_.born; }
    const domain::RecordState& state() const { return state_; }
    const std::string& version() const { return version_; }
    store::StoredRecord stored() const { return {state_, version_, 0}; }

    // The state with one more operation, which is not kept.
    domain::RecordState with(const domain::Operation& operation) const;
    // Keeps the operation; `record` is what with() gave for it, and its version.
    void add(domain::Operation operation, store::StoredRecord record);
    void add(domain::Operation operation);

    // A register operation ever touched the field: from then on a set or counter field is written
    // as a register, because the fold shows registers first.
    bool written_as_register(std::string_view field) const;
    const domain::Conflict* conflict(std::string_view field) const;

    // The state at the latest prefix, by arrival, that has this version.
    std::optional<domain::RecordState> at_version(std::string_view version) const;

private:
    // A form is not open for more changes than this to one record; folding each prefix is
    // quadratic.
    static constexpr std::size_t prefixes = 2000;

    std::vector<domain::Known> known() const;
    void fold_again();

    Rows rows_;
    std::deque<domain::Operation> added_;  // stable addresses
    const domain::Frontier& frontier_;
    domain::RecordState state_;
    std::string version_;
};

}  // namespace dutybook::core
