#pragma once
// A report that is filed is frozen: its blocks, parameters and maker in a core.report record, which
// syncs like any other and never changes when its sources do.
//
// `content` holds the tree of blocks as it is up to 32 KiB, above that
// {"zstd": "<base64 of the compressed JSON>"}: an operation holds 64 KiB.

#include "api/report_run.h"

namespace dutybook::api {

// The fields of the record. Code::TooLarge where even the compressed form is too long.
Result<Json> filed_fields(const MadeReport& made, const std::string& by);
// The blocks of such a record; Code::Corrupt if they cannot be read.
Result<Json> filed_blocks(const Json& fields);

}  // namespace dutybook::api
