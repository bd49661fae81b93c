-- Messages that a quote of their issue may be taken from: those with the two typical words that most persons have in common.
-- Nothing that redaction touched, and no link, is quoted. Grain: one row per channel, issue and message, $most_tried an issue at most.
with said as (
    select i.channel, i.category_id, i.issue_id, i.item, i.person, i.text_digest, w.word, t.position, t.word as written
    from counted_item as i
    join item_word as w using (item)
    join typical_word as t on t.channel = i.channel and t.issue_id = i.issue_id and t.word_key = w.word
),

pair as (
    select
        one.channel, one.issue_id,
        one.word as first_word, other.word as second_word,
        any_value(one.written) as first_written, any_value(other.written) as second_written,
        count(distinct one.person) as person_count
    from said as one
    join said as other on other.item = one.item and other.position > one.position
    group by one.channel, one.issue_id, one.word, other.word, one.position, other.position
    having count(distinct one.person) >= $least_voices
    qualify row_number() over (
        partition by one.channel, one.issue_id
        order by count(distinct one.person) desc, one.position, other.position
    ) = 1
),

message as (
    select
        said.channel,
        said.category_id,
        said.issue_id,
        said.item,
        any_value(said.text_digest) as text_digest,
        any_value(pair.first_word) as first_word,
        any_value(pair.second_word) as second_word,
        [any_value(pair.first_written), any_value(pair.second_written)] as words,
        any_value(pair.person_count) as person_count,
        list(said.word order by said.position) as has
    from said
    join pair using (channel, issue_id)
    group by said.channel, said.category_id, said.issue_id, said.item
    having list_contains(has, first_word) and list_contains(has, second_word)
)

select
    message.channel,
    message.category_id,
    message.issue_id,
    message.item,
    t.text,
    list_concat(
        [message.first_word, message.second_word],
        list_filter(message.has, lambda word : word <> message.first_word and word <> message.second_word)
    ) as keys,
    message.words,
    message.person_count
from message
join counted_item as i using (item)
join manifestation_text as t using (manifestation_id, version)
where not regexp_matches(t.text, '\[[^\]]{1,24}\]|://|www\.|@')
qualify row_number() over (
    partition by message.channel, message.issue_id
    order by len(message.has) desc, length(t.text), message.text_digest, message.item
) <= $most_tried
order by message.channel, message.issue_id, len(message.has) desc, length(t.text), message.text_digest, message.item
