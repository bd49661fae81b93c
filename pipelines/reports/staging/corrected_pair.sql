-- Shares that labels corrected in this window and in the one before. Grain: one row per channel, measure and key of `change`.
select
    now.channel,
    case now.subject when 'tone' then 'category_neg' else now.subject end as measure,
    coalesce(now.category_id, now.sentiment) as key,
    before.share as previous_share,
    before.low as previous_low,
    before.high as previous_high,
    now.share,
    now.low,
    now.high
from estimate as now
join previous_estimate as before
    on before.channel = now.channel
    and before.subject = now.subject
    and before.category_id is not distinct from now.category_id
    and before.sentiment is not distinct from now.sentiment
where now.status = 'corrected'
    and before.status = 'corrected'
    and (now.subject in ('category', 'sentiment') or (now.subject = 'tone' and now.sentiment = 'neg'))
order by all
