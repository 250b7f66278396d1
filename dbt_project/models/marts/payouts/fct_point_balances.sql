select
    program_id,
    period_id,
    participant_id,
    opening_points,
    earned_points,
    expired_points,
    redeemed_points,
    closing_points
from {{ ref('int_point_redemptions') }}
