-- A digest of the staged items that no secret and no machine changes (ids of persons' links would). Grain: one row.
select
    coalesce(
        md5(
            string_agg(
                concat_ws(
                    '|',
                    source_id, version, channel, category_id, issue_id, sentiment, not_counted, coalesce(copy_group, -1),
                    epoch_us(published_at), epoch_us(first_seen_at), gone
                ),
                chr(10)
                order by source_id, version, not_counted, first_seen_at
            )
        ),
        ''
    ) as digest
from report_item
