-- Tone of all counted manifestations of the main channel, then within each category. Grain: one row for all and one per category.
with tone as (
    select
        null as category_id, sentiment, manifestation_count, manifestation_share, manifestation_low, manifestation_high, corrected,
        read_share, estimate_status
    from report_sentiment
    where report_id = $report_id and channel = $channel
    union all
    select
        category_id, sentiment, manifestation_count, manifestation_share, manifestation_low, manifestation_high, corrected,
        read_share, estimate_status
    from report_category_sentiment
    where report_id = $report_id and channel = $channel
),

size as (
    select category_id, manifestation_count, category_id in ('otros', 'unclassified') as apart, position
    from report_category
    where report_id = $report_id and channel = $channel
    union all
    select null, manifestation_count, false, 0 from report where report_id = $report_id and channel = $channel
)

select
    tone.category_id,
    tone.sentiment,
    tone.manifestation_count,
    tone.manifestation_share,
    tone.manifestation_low,
    tone.manifestation_high,
    tone.corrected,
    tone.read_share,
    tone.estimate_status,
    size.manifestation_count as base,
    size.apart,
    dense_rank() over (order by tone.category_id is not null, size.apart, size.manifestation_count desc, size.position) as place
from tone
join size on tone.category_id is not distinct from size.category_id
order by place, tone.sentiment
