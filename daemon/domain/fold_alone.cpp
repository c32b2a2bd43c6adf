#include "domain/fold_alone.h"

#include <algorithm>

namespace dutybook::domain {

namespace {

// Every field once as a register, or in a row as added elements in order, each once.
bool is_plain(const std::vector<FieldChange>& changes) {
    for (std::size_t i = 0; i < changes.size(); ++i) {
        const FieldChange& change = changes[i];
        if (change.act != Act::Set && change.act != Act::Add) return false;
        if (i == 0) continue;
        const FieldChange& before = changes[i - 1];
        if (before.field > change.field) return false;
        if (before.field < change.field) continue;
        const bool follows = change.act == Act::Add && before.act == Act::Add;
        if (!follows || before.value >= change.value) return false;
    }
    return true;
}

void show_fields(const std::vector<FieldChange>& changes, RecordState& state) {
    for (auto from = changes.begin(); from != changes.end();) {
        if (from->act == Act::Set) {
            if (from->value != "null") {
                state.fields.emplace_hint(state.fields.end(), from->field, from->value);
            }
            ++from;
            continue;
        }
        const std::string& field = from->field;
        std::string elements = "[";
        for (; from != changes.end() && from->field == field; ++from) {
            if (elements.size() > 1) elements += ',';
            elements += from->value;
        }
        state.fields.emplace_hint(state.fields.end(), field, std::move(elements += ']'));
    }
}

Status status_after(const Operation& operation) {
    if (operation.verb == Verb::Retract) return Status::Retracted;
    return operation.final || operation.verb == Verb::Finalise ? Status::Final : Status::Draft;
}

}  // namespace

std::optional<RecordState> fold_alone(const Operation& operation) {
    if (!is_plain(operation.changes)) return std::nullopt;
    RecordState state;
    state.id = operation.record;
    state.status = status_after(operation);
    state.changed_at = operation.at;
    state.changed_by = operation.identity();
    state.deleted = operation.verb == Verb::Delete;
    if (operation.verb == Verb::Create) {
        state.born = true;
        state.kind = operation.kind;
        state.created = operation;
        state.created.changes.clear();
    }
    show_fields(operation.changes, state);
    return state;
}

}  // namespace dutybook::domain
