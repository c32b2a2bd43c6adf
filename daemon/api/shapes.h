#pragma once
// The JSON shapes that scripts rely on (schemas/*.schema.json). Stored values are canonical JSON
// text and are spliced in as they are, never parsed and written again.

#include "base/clock.h"
#include "base/json.h"
#include "core/space_service.h"
#include "domain/history.h"
#include "sync/service.h"

#include <functional>
#include <string>
#include <string_view>

namespace dutybook::api {

// Appends a JSON string, quoted and escaped. The text must be UTF-8.
void append_quoted(std::string& out, std::string_view text);

struct RecordContext {
    const core::SpaceFacts& facts;
    const domain::KindCatalog& kinds;
    // A JSON array of findings as the reader may see them, in their language; empty: as they are.
    std::function<std::string(std::string_view)> findings_for_reader = {};
};

// {"id","kind","space","version","envelope":{},"fields":{},"findings":[],"conflicts":{}} and
// "deleted":true if it is. `findings` is a JSON array's text.
std::string record_text(const store::StoredRecord& record, std::string_view findings,
                        const RecordContext& context);
// The answer to a write: the record and "wrote", "same_as", "checked" where they say something.
std::string written_text(const core::Written& written, const RecordContext& context);

// One line a field in conflict.
void append_conflict_lines(std::vector<std::string>& out, const store::StoredRecord& record);

std::string history_text(const domain::HistoryLine& line);

Json remote_json(const sync::RemoteStatus& remote);
Json outcome_json(const sync::Outcome& outcome);

// The instant as text, null if there is none (0).
Json instant_or_null(Millis at);
// A URL without a password that may stand in it.
std::string without_password(const std::string& url);

// {"items":[...],"next":...}
class ListText {
public:
    void add(std::string_view item);
    std::string finish(const std::string& next) &&;

private:
    std::string text_ = "{\"items\":[";
    bool any_ = false;
};

}  // namespace dutybook::api
