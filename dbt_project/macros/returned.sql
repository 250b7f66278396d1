{#- Why what came back once is not sent there again. `payout`: a row with incentive_type, account_key, card_key and
    address_key, joined to its row of int_returned_payees as `returned`. An address that is not known may be the same. -#}
{%- macro returned_reason(payout) -%}
    case
        when
            list_contains(
                returned.payee_keys,
                case {{ payout }}.incentive_type
                    when 'cash' then {{ payout }}.account_key when 'green_card' then {{ payout }}.card_key
                end
            )
            then 'account_returned'
        when
            {{ payout }}.incentive_type not in ('cash', 'green_card')
            and returned.is_delivered
            and (
                returned.is_address_unknown
                or {{ payout }}.address_key is null
                or list_contains(returned.address_keys, {{ payout }}.address_key)
            )
            then 'delivery_returned'
    end
{%- endmacro -%}
